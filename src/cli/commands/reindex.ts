import { setTimeout as sleep } from 'node:timers/promises'

import type { Command } from 'commander'

import { InputError } from '../../errors.ts'
import {
  namesCoverage,
  newestWork,
  reindexProgress,
  type ReindexProgress,
} from '../../indexing/vectors/reindex-progress.ts'
import type { IndexKind } from '../../indexing/vectors/reindex.ts'
import { agreed, counted } from '../../model/text/counted.ts'
import type { NameCoverage } from '../../store/names/name-coverage.ts'
import { withStore, type CommandContext } from '../context.ts'
import { print, printJson } from '../output.ts'
import { startProgress } from '../progress.ts'

interface Options {
  readonly words?: boolean
  readonly vectors?: boolean
  readonly names?: boolean
  readonly yes?: boolean
  readonly json?: boolean
}

const pollMs = 250

export function registerReindex(program: Command): void {
  program
    .command('reindex')
    .description('make the search index anew from the messages: what it would take, and with --yes the work itself')
    .option('--words', 'only the index of words; nothing is found by its words until it is done')
    .option('--vectors', 'only vectors: those that are missing, and those that were refused')
    .option('--names', 'has the model of VERBATIM_NAMES look for names in what it has not read')
    .option('--yes', 'begin, and wait until it is done; it goes on in the background when this command ends')
    .option('--json', 'machine-readable output')
    .action(async (options: Options) => {
      await withStore(program, async (context) => {
        const { verbatim, caller } = context
        const { semantic_search: semantic, names } = await verbatim.status(caller)
        const kinds = kindsOf(options, semantic.state !== 'off')
        if (kinds.includes('names') && names === undefined) throw namesAreByRules()
        const plan = await verbatim.planReindex(caller, kinds)
        const model = semantic.model === undefined ? {} : { model: semantic.model }
        const before = kinds.includes('names') ? await namesCoverage(databaseOf(context), caller) : undefined
        const begun = options.yes === true
        if (begun) await verbatim.reindex(caller, kinds)
        const left = begun ? await waitUntilDone(context, kinds, plan.messages) : undefined
        const after = begun && before !== undefined ? await namesCoverage(databaseOf(context), caller) : before
        const done = left?.messages === 0
        if (options.json === true)
          return printJson({ ...plan, indexes: kinds, ...model, ...(after === undefined ? {} : asJson(after)), done })
        const cost =
          kinds.includes('vectors') && semantic.model !== undefined
            ? `, at most ${counted(plan.tokens_to_embed, 'token')} by ${semantic.model.provider} ${semantic.model.name}`
            : ''
        const what = `${kinds.join(' and ')} of ${counted(plan.messages, 'message')}${cost}`
        if (left === undefined) {
          const sent = before === undefined ? '' : namesPlanOf(before, context)
          return print(`would make anew: ${what}\n${sent}Run it with --yes to begin\n`)
        }
        const read = after === undefined ? '' : namesReadOf(after)
        return print(`${done ? 'made anew' : 'begun'}: ${what}${waitingOf(left)}\n${read}`)
      })
    })
}

const databaseOf = ({ verbatim, caller }: CommandContext) => verbatim.stores.database.of(caller)

const waitingOf = ({ messages, waitsFor }: ReindexProgress) =>
  messages === 0
    ? ''
    : `, ${messages} ${agreed(messages, 'waits', 'wait')}: ${waitsFor ?? 'they are worked off in the background'}`

function namesReadOf({ messages, unread, waiting, leftToRules }: NameCoverage): string {
  const left = leftToRules === 0 ? '' : `, ${leftToRules} ${agreed(leftToRules, 'is', 'are')} left to the rules`
  return `read: ${messages - unread} of ${messages}, ${waiting} ${agreed(waiting, 'waits', 'wait')}${left}\n`
}

function asJson({ messages, unread, waiting, leftToRules, waitingBytes }: NameCoverage) {
  const names = { messages_read: messages - unread, messages_waiting: waiting, messages_left_to_rules: leftToRules }
  return { names: { ...names, bytes_waiting: waitingBytes } }
}

/** What would be sent, and to whom. */
function namesPlanOf({ waiting, waitingBytes }: NameCoverage, { config: { names } }: CommandContext): string {
  const what = `${counted(waiting, 'message')}, at most ${counted(waitingBytes, 'byte')} of ${agreed(waiting, 'it', 'them')}`
  return names?.kind === 'model'
    ? `to be sent to ${names.writer.kind} ${names.writer.model} to look for names: ${what}\n`
    : `to be read for names on this machine: ${what}\n`
}

function kindsOf(options: Options, hasEmbedder: boolean): IndexKind[] {
  const all = options.words !== true && options.vectors !== true && options.names !== true
  return [
    ...(all || options.words === true ? (['words'] as const) : []),
    ...((all && hasEmbedder) || options.vectors === true ? (['vectors'] as const) : []),
    ...(options.names === true ? (['names'] as const) : []),
  ]
}

function namesAreByRules(): InputError {
  return new InputError('Cannot have a model look for names as VERBATIM_NAMES is "rules"', {
    remedy: 'Set it to "model" or "local": docs/privacy.md says what that takes',
  })
}

/** Until what was to be done at the beginning is done, or a provider does not answer: `doctor` says why, and it goes on by itself. */
async function waitUntilDone(
  context: CommandContext,
  kinds: readonly IndexKind[],
  messages: number,
): Promise<ReindexProgress> {
  const [database, { caller }] = [databaseOf(context), context]
  const newest = await newestWork(database, caller, kinds)
  const progress = await startProgress('reindexing', messages)
  let done = 0
  for (;;) {
    const left = await reindexProgress(database, caller, newest)
    if (left.messages === 0 || left.waitsFor !== undefined) {
      progress.stop()
      return left
    }
    progress.add(Math.max(0, messages - left.messages - done))
    done = Math.max(done, messages - left.messages)
    await sleep(pollMs)
  }
}
