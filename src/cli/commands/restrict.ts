import type { Command } from 'commander'

import { InputError } from '../../errors.ts'
import { counted } from '../../model/text/counted.ts'
import { changeRestriction, type Restricted } from '../../rights/restrict.ts'
import { readRestrictions } from '../../store/rights/restrictions.ts'
import { withStore, type CommandContext } from '../context.ts'
import { print, printJson, table } from '../output.ts'

interface Options {
  readonly participant?: string
  readonly reason?: string
  readonly list?: boolean
  readonly json?: boolean
}

async function list({ verbatim, caller }: CommandContext, { json }: Options): Promise<void> {
  const restricted = await readRestrictions(verbatim.stores.database, caller.tenantId)
  if (json === true) return printJson(restricted)
  if (restricted.length === 0) return print('Nothing is restricted.\n')
  const rows = restricted.map(({ kind, target, restricted_by: by, restricted_at: at, reason }) => [
    kind,
    target,
    by ?? '',
    at?.toISOString().slice(0, 10) ?? '',
    reason ?? '(no reason was given)',
  ])
  return print(`${table(['what', 'which', 'by', 'since', 'reason'], rows)}\n`)
}

function rendered(done: Restricted, isRestricted: boolean): string {
  const state = isRestricted ? 'restricted: stored, and not to be used' : 'not restricted any more'
  return done.kind === 'session'
    ? `session ${done.id} is ${state}\n`
    : `${done.name} is ${state} (${counted(done.messages, 'message')} of ${counted(done.sessions, 'session')})\n`
}

async function change(
  program: Command,
  session: string | undefined,
  { participant, reason, isRestricted }: Options & { readonly isRestricted: boolean },
): Promise<void> {
  if (reason === undefined)
    throw new InputError('Cannot change a restriction without a reason', {
      remedy: 'Give --reason: the audit log notes it',
    })
  await withStore(program, async ({ verbatim, caller }) => {
    const wanted = { session, participant, reason, isRestricted }
    await print(rendered(await changeRestriction(verbatim.stores.database, caller, wanted), isRestricted))
  })
}

export function registerRestrict(program: Command): void {
  program
    .command('restrict')
    .description(
      'keep a session, or all that a participant said, stored and out of use: not searched, recalled, summarized or embedded',
    )
    .argument('[session]', 'its id, ours or the source’s own')
    .option('--participant <name>', 'a sender, exactly as messages name them')
    .option('--reason <text>', 'kept beside the audit log until what it is about is erased')
    .option('--list', 'what is restricted, by whom, since when and why')
    .option('--json', 'with --list: machine-readable output')
    .action(async (session: string | undefined, options: Options) => {
      if (options.list !== true) return change(program, session, { ...options, isRestricted: true })
      return withStore(program, (context) => list(context, options))
    })
}

export function registerUnrestrict(program: Command): void {
  program
    .command('unrestrict')
    .description('end a restriction')
    .argument('[session]', 'its id, ours or the source’s own')
    .option('--participant <name>', 'a sender')
    .option('--reason <text>', 'kept beside the audit log until what it is about is erased')
    .action((session: string | undefined, options: Options) =>
      change(program, session, { ...options, isRestricted: false }),
    )
}
