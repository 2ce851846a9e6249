import { setTimeout as sleep } from 'node:timers/promises'

import type { Command } from 'commander'

import { InputError } from '../../errors.ts'
import type { IndexKind } from '../../indexing/reindex.ts'
import type { Caller } from '../../model/access.ts'
import type { Verbatim } from '../../verbatim.ts'
import { withStore } from '../context.ts'
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
      await withStore(program, async ({ verbatim, caller }) => {
        const { semantic_search: semantic, names } = await verbatim.status(caller)
        const kinds = kindsOf(options, semantic.state !== 'off')
        if (kinds.includes('names') && names === undefined) throw namesAreByRules()
        const plan = await verbatim.planReindex(caller, kinds)
        const model = semantic.model === undefined ? {} : { model: semantic.model }
        const begun = options.yes === true
        if (begun) {
          await verbatim.reindex(caller, kinds)
          await waitUntilDone({ verbatim, caller }, plan.messages)
        }
        if (options.json === true) return printJson({ ...plan, indexes: kinds, ...model, done: begun })
        const cost =
          kinds.includes('vectors') && semantic.model !== undefined
            ? `, at most ${plan.tokens_to_embed} tokens by ${semantic.model.provider} ${semantic.model.name}`
            : ''
        const what = `${kinds.join(' and ')} of ${plan.messages} messages${cost}`
        return print(begun ? `made anew: ${what}\n` : `would make anew: ${what}\nRun it with --yes to begin\n`)
      })
    })
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

async function waitUntilDone(
  { verbatim, caller }: { readonly verbatim: Verbatim; readonly caller: Caller },
  messages: number,
): Promise<void> {
  const progress = await startProgress('reindexing', messages)
  let done = 0
  for (;;) {
    const { index, semantic_search: semantic, names } = await verbatim.status(caller)
    const ofNames = names?.messages_waiting ?? 0
    const behind = index.messages_behind + (semantic.state === 'off' ? 0 : semantic.messages_behind) + ofNames
    // A provider that does not answer is not waited for: `doctor` says why, and it goes on by itself.
    if (behind === 0 || semantic.waits_for !== undefined || names?.waits_for !== undefined) break
    progress.add(Math.max(0, messages - behind - done))
    done = Math.max(done, messages - behind)
    await sleep(pollMs)
  }
  progress.stop()
}
