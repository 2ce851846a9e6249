import { limits } from '../src/limits.ts'
import { BenchHome } from './bench-home.ts'
import type { Bench } from './bench.ts'
import { makeQueries, readCorpus, type Corpus } from './corpus.ts'
import { timeBaseline, type Figure } from './figure.ts'
import { GrowingStore, sizeLabel } from './growing-store.ts'
import { interleave, percentile, timed } from './measure.ts'

const size = 100_000
const quickSize = 10_000
const conversationsMax = 100
const recalls = 5
const warmUp = 20
const texts = 100
/** As the plugin for OpenClaw asks. */
const pluginTokens = 800
/** For what was made ahead. */
const recallP95MsMax = 20

/**
 * What a conversation waits for its context, in a store of many: of each conversation the first recall makes the prediction, and
 * those after it, timed beside the bare rows of as many messages, have it already.
 */
async function measure(store: GrowingStore): Promise<Figure[]> {
  const { home, stored } = store
  const verbatim = await home.verbatim()
  const sessionIds = [...new Set(stored.map(({ sessionId }) => sessionId))].slice(0, conversationsMax)
  const sessionOf = (round: number) => sessionIds[round % sessionIds.length] ?? ''
  const recall = (round: number) =>
    verbatim.recallContext(home.caller, {
      sessionId: sessionOf(round),
      maxTokens: limits.resultTokensDefault,
      format: 'text',
    })
  const made: number[] = []
  for (const round of sessionIds.keys()) made.push(await timed(() => recall(round)))
  const [own = [], rows = []] = await interleave(
    [
      { name: 'recall', run: recall },
      {
        name: 'rows',
        run: (round) => home.sql`
          select * from messages where tenant_id = ${home.caller.tenantId} and session_id = ${sessionOf(round)}
          order by seq limit ${limits.recalledMessages}`,
      },
    ],
    { rounds: recalls * sessionIds.length, warmUp },
  )
  const label = sizeLabel(stored.length)
  return [
    ...[0.5, 0.95].map((part) => ({
      name: `${label}: recall of what was made ahead, p${part * 100}`,
      value: percentile(own, part),
      unit: 'ms',
      samples: own.length,
      baselines: [
        timeBaseline(`${limits.recalledMessages} rows of a session`, {
          own: percentile(own, part),
          baseline: percentile(rows, part),
        }),
      ],
      ...(part === 0.95 ? { bound: { of: 'value' as const, atMost: recallP95MsMax } } : {}),
    })),
    ...[0.5, 0.95].map((part) => ({
      name: `${label}: recall, nothing made ahead, p${part * 100}`,
      value: percentile(made, part),
      unit: 'ms',
      samples: made.length,
    })),
  ]
}

/**
 * What a prompt waits for in a client that searches for it and then recalls with it, as the plugin for OpenClaw does: each text is
 * another one.
 */
async function measureText({ home, stored }: GrowingStore, corpus: Corpus): Promise<Figure[]> {
  const verbatim = await home.verbatim()
  const [questions] = makeQueries(corpus, { each: texts + warmUp, seed: 11 })
  const form = { maxTokens: pluginTokens, format: 'json' } as const
  // Sentences of a prompt beside its question make it as long as prompts are.
  const textOf = (round: number) => `${questions?.queries[round] ?? ''} ${corpus.sentences[round] ?? ''} (${round})`
  const [search = [], recall = []] = await interleave(
    [
      {
        name: 'search',
        run: (round) =>
          verbatim.search(home.caller, { ...form, query: textOf(round), limit: 5, context: 3, mode: 'hybrid' }),
      },
      { name: 'recall', run: (round) => verbatim.recallContext(home.caller, { ...form, text: textOf(round) }) },
    ],
    { rounds: texts, warmUp },
  )
  const both = search.map((ms, round) => ms + (recall[round] ?? 0))
  const figure = (name: string, own: readonly number[], part: number): Figure => ({
    name: `${sizeLabel(stored.length)}: ${name}, p${part * 100}`,
    value: percentile(own, part),
    unit: 'ms',
    samples: own.length,
    baselines: [
      timeBaseline('the search before it', { own: percentile(own, part), baseline: percentile(search, part) }),
    ],
  })
  return [0.5, 0.95].flatMap((part) => [
    figure('recall of a text that was just searched for', recall, part),
    figure('both together', both, part),
  ])
}

export const recallContextBench: Bench = {
  name: 'recall-context',
  async run({ quick, say }) {
    const corpus = await readCorpus()
    if (corpus === undefined) {
      return { bench: 'recall-context', figures: [], notes: ['Skipped: shared/data is not beside the repository'] }
    }
    await using home = new BenchHome()
    const store = new GrowingStore(home, corpus)
    say(`  filling a store with ${quickSize} messages`)
    await store.grow(quickSize)
    const withText = await measureText(store, corpus)
    if (!quick) {
      say(`  filling it with ${size} messages`)
      await store.grow(size)
    }
    const figures = [...withText, ...(await measure(store))]
    return { bench: 'recall-context', figures, notes: ['By words alone, in one process'] }
  },
}
