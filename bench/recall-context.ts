import { limits } from '../src/limits.ts'
import { BenchHome } from './bench-home.ts'
import type { Bench } from './bench.ts'
import { readCorpus } from './corpus.ts'
import { timeBaseline, type Figure } from './figure.ts'
import { GrowingStore, sizeLabel } from './growing-store.ts'
import { interleave, percentile, timed } from './measure.ts'

const size = 100_000
const quickSize = 10_000
const conversationsMax = 100
const recalls = 5
const warmUp = 20
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

export const recallContextBench: Bench = {
  name: 'recall-context',
  async run({ quick, say }) {
    const corpus = await readCorpus()
    if (corpus === undefined) {
      return { bench: 'recall-context', figures: [], notes: ['Skipped: shared/data is not beside the repository'] }
    }
    await using home = new BenchHome()
    const store = new GrowingStore(home, corpus)
    const filled = quick ? quickSize : size
    say(`  filling a store with ${filled} messages`)
    await store.grow(filled)
    return { bench: 'recall-context', figures: await measure(store), notes: ['By words alone, in one process'] }
  },
}
