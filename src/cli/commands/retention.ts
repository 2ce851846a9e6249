import type { Command } from 'commander'

import type { ErasureReply } from '../../erasure/forget.ts'
import { resumeErasures } from '../../erasure/resume-erasures.ts'
import { InputError } from '../../errors.ts'
import { counted } from '../../model/text/counted.ts'
import { clockProblem, type RetentionLimits } from '../../retention/decide.ts'
import { removePolicy, setHold, setPolicy, type PolicyTarget } from '../../retention/policies.ts'
import { applyRetention, planRetention, type RetentionPlan } from '../../retention/sweep.ts'
import { countSources } from '../../store/count-sources.ts'
import { claimSweep, countSessionsUnderWay, readHolds, readPolicies, readSweep } from '../../store/erasure/retention.ts'
import { withStore, type CommandContext } from '../context.ts'
import { exitCodes, type ExitStatus } from '../exit-codes.ts'
import { print, printJson, table } from '../output.ts'
import { wholeNumber } from '../parse-options.ts'

interface Options {
  readonly json?: boolean
}

const daysMax = 36_500

async function list({ verbatim, caller }: CommandContext, { json }: Options): Promise<void> {
  const policies = await verbatim.stores.database.run((sql) => readPolicies(sql, caller.tenantId))
  if (json === true) return printJson(policies)
  if (policies.length === 0) return print('No policy is set: everything is kept.\n')
  const rows = policies.map((policy) => [
    policy.scope,
    policy.target ?? '',
    policy.ageDaysMax ?? '-',
    policy.idleDaysMax ?? '-',
    policy.messagesMax ?? '-',
    policy.bytesMax ?? '-',
    policy.createdBy,
    policy.createdAt.toISOString().slice(0, 10),
  ])
  const header = ['scope', 'of', 'age days', 'idle days', 'messages', 'bytes', 'set by', 'since']
  return print(`${table(header, rows)}\n`)
}

/** Sources are what clients save themselves, the formats of transcripts, and what another version has left in the store. */
async function checkSource({ verbatim, caller }: CommandContext, source: string): Promise<void> {
  const [{ transcriptFormats }, stored] = await Promise.all([
    import('../../transcripts/registry.ts'),
    verbatim.stores.database.run((sql) => countSources(sql, caller)),
  ])
  const names = ['mcp', ...transcriptFormats.map(({ name }) => name), ...stored.map((one) => one.source)]
  if (names.includes(source)) return
  throw new InputError(`Cannot set a policy for the source "${source}" as no session can have it`, {
    remedy: `Sources are: ${[...new Set(names)].toSorted().join(', ')}`,
  })
}

async function planned({ verbatim, caller }: CommandContext) {
  const { database } = verbatim.stores
  const state = await database.run((sql) => readSweep(sql, caller.tenantId))
  const plan: RetentionPlan =
    state === undefined ? { expired: [], held: [] } : await planRetention(database, caller.tenantId, state.nowMs)
  const problem = state === undefined ? undefined : clockProblem(state.sweptAtMs, state.nowMs)
  const underWay = await database.run((sql) => countSessionsUnderWay(sql, caller.tenantId))
  return { plan, state, problem, underWay }
}

function render({ expired, held }: RetentionPlan, underWay: number): string {
  const rows = expired.map(({ session_id: id, whole, messages, reasons }) => [
    id,
    whole ? 'the session' : 'messages',
    messages,
    reasons.join(', '),
  ])
  const nothing = underWay === 0 ? 'Nothing has expired.' : 'Nothing else has expired.'
  const lines = rows.length === 0 ? [nothing] : [table(['session', 'what goes', 'messages', 'why'], rows)]
  if (underWay > 0)
    lines.unshift(`Of ${counted(underWay, 'session')} an erasure is under way: verbatim erase --receipts`)
  return `${[...lines, ...held.map((id) => `on legal hold, kept: session ${id}`)].join('\n')}\n`
}

async function preview(context: CommandContext, { json }: Options): Promise<void> {
  const { plan, problem, underWay } = await planned(context)
  const clock = problem === undefined ? {} : { clock: problem }
  if (json === true) return printJson({ ...plan, under_way: underWay, ...clock })
  const warning = problem === undefined ? '' : `No sweep runs by itself, as ${problem}: check the clock, then apply.\n`
  return print(`${render(plan, underWay)}${warning}`)
}

async function apply(context: CommandContext, options: Options & { readonly yes?: boolean }, status: ExitStatus) {
  if (options.yes !== true) {
    await preview(context, options)
    process.stderr.write('Nothing was erased. With --yes it is.\n')
    return undefined
  }
  const { verbatim, caller } = context
  const { database, archive, vectors: index } = verbatim.stores
  // What a sweep that was killed has begun is no more among what has expired.
  const resumed = await resumeErasures({ database, archive, index }, caller, 'retention')
  const { plan, state, underWay } = await planned(context)
  // Somebody has looked: from here on sweeps go on.
  if (state !== undefined) await database.run((sql) => claimSweep(sql, caller.tenantId, state.sweptAtMs))
  const receipt = await applyRetention({ database, archive, index }, caller, plan)
  const receipts = [...resumed, ...(receipt === undefined ? [] : [receipt])]
  if (receipts.some((one) => one.status === 'pending')) status.code = exitCodes.problems
  if (options.json === true)
    return printJson({ ...(receipt ?? { status: 'nothing' }), ...(resumed.length === 0 ? {} : { resumed }) })
  for (const one of resumed) await print(`begun before, ${receiptLine(one)}`)
  await print(render(plan, underWay))
  return receipt === undefined ? undefined : print(receiptLine(receipt))
}

function receiptLine({ status, erasure_id: id }: ErasureReply): string {
  return `${status}: receipt ${id} (verbatim erase --receipts)\n`
}

async function holds({ verbatim, caller }: CommandContext, { json }: Options): Promise<void> {
  const held = await readHolds(verbatim.stores.database, caller.tenantId)
  if (json === true) return printJson(held)
  if (held.length === 0) return print('No session is on legal hold.\n')
  const rows = held.map(({ id, actor, at, reason }) => [
    id,
    actor ?? '',
    at?.toISOString().slice(0, 10) ?? '',
    reason ?? '(no reason was given)',
  ])
  return print(`${table(['session', 'by', 'since', 'reason'], rows)}\n`)
}

function withTarget(command: Command): Command {
  return command
    .option('--source <name>', 'of sessions of this source')
    .option('--tag <tag>', 'of sessions with this tag')
    .option('--session <id>', 'of this session')
}

export function registerRetention(program: Command, status: ExitStatus): void {
  const inStore = (work: (context: CommandContext) => Promise<void>) => withStore(program, work)
  const retention = program
    .command('retention')
    .description('how long what is kept, and what is on legal hold; what has expired is erased once an hour')
  withTarget(retention.command('set'))
    .description('set a policy; without a source, a tag or a session for everything. The narrowest one decides')
    .option('--age-days <n>', 'erase messages that are older', wholeNumber(1, daysMax))
    .option('--idle-days <n>', 'erase sessions that were not active for longer', wholeNumber(1, daysMax))
    .option('--messages <n>', 'of each session keep so many, the newest', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .option('--bytes <n>', 'of each session keep so many bytes, the newest', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .action(
      async (options: PolicyTarget & { ageDays?: number; idleDays?: number; messages?: number; bytes?: number }) => {
        await inStore(async (context) => {
          if (options.source !== undefined) await checkSource(context, options.source)
          const { ageDays: ageDaysMax, idleDays: idleDaysMax, messages: messagesMax, bytes: bytesMax } = options
          const limits: RetentionLimits = { ageDaysMax, idleDaysMax, messagesMax, bytesMax }
          await setPolicy(context.verbatim.stores.database, context.caller, { target: options, limits })
          await list(context, {})
        })
      },
    )
  withTarget(retention.command('remove'))
    .description('remove a policy')
    .action(async (options: PolicyTarget) => {
      await inStore(async (context) => {
        await removePolicy(context.verbatim.stores.database, context.caller, options)
        await list(context, {})
      })
    })
  retention
    .command('list')
    .description('the policies that are set')
    .option('--json', 'machine-readable output')
    .action((options: Options) => inStore((context) => list(context, options)))
  retention
    .command('preview')
    .description('what has expired, and why; nothing is erased')
    .option('--json', 'machine-readable output')
    .action((options: Options) => inStore((context) => preview(context, options)))
  retention
    .command('apply')
    .description('erase now what has expired, also where sweeps do not run by a clock that has jumped')
    .option('--yes', 'erase; without it what would go is shown')
    .option('--json', 'machine-readable output')
    .action((options: Options & { yes?: boolean }) => inStore(async (context) => apply(context, options, status)))
  for (const [name, isHeld] of [
    ['hold', true],
    ['release', false],
  ] as const)
    retention
      .command(name)
      .description(isHeld ? 'keep a session from being erased, by whatever policy or request' : 'end a legal hold')
      .argument('<session>', 'its id, ours or the source’s own')
      .requiredOption('--reason <text>', 'kept beside the audit log until the session is erased')
      .action((session: string, { reason }: { reason: string }) =>
        inStore(async ({ verbatim, caller }) => {
          const id = await setHold(verbatim.stores.database, caller, { session, isHeld, reason })
          await print(`session ${id} is ${isHeld ? 'on legal hold' : 'released'}\n`)
        }),
      )
  retention
    .command('holds')
    .description('what is on legal hold, by whom, since when and why')
    .option('--json', 'machine-readable output')
    .action((options: Options) => inStore((context) => holds(context, options)))
}
