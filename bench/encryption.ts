import { randomUUID } from 'node:crypto'

import { limits } from '../src/limits.ts'
import { BenchHome } from './bench-home.ts'
import type { Bench, BenchOptions } from './bench.ts'
import { makeMessages, makeQueries, readCorpus, type Corpus } from './corpus.ts'
import { speedBaseline, timeBaseline, type Figure } from './figure.ts'
import { GrowingStore } from './growing-store.ts'
import { interleave, percentile } from './measure.ts'

const saveRatioMin = 0.8
const searchRatioMax = 1.3
const batchMessages = 100
/** Until the engine's code has been compiled for speed. */
const warmUp = 20

/** Two stores with the same messages, of which one is encrypted. */
interface Pair {
  readonly plain: BenchHome
  readonly sealed: BenchHome
  readonly corpus: Corpus
}

type Save = (home: BenchHome) => () => Promise<unknown>

/** Saves in turns: whatever disturbs the machine meanwhile disturbs both. */
async function measureSaves(
  { plain, sealed }: Pair,
  work: { readonly name: string; readonly save: Save; readonly isBound: boolean },
  rounds: number,
): Promise<Figure[]> {
  const contender = (home: BenchHome) => ({
    name: home === plain ? 'plain' : 'sealed',
    // Indexing of what one has saved must not fall into the time of the other.
    prepare: async () => {
      await plain.waitUntilIndexed()
      await sealed.waitUntilIndexed()
    },
    run: work.save(home),
  })
  const [without = [], own = []] = await interleave([contender(plain), contender(sealed)], { rounds, warmUp })
  return [0.5, 0.95].map((part) => ({
    name: `${work.name}, encrypted, p${part * 100}`,
    value: percentile(own, part),
    unit: 'ms',
    samples: rounds,
    baselines: [speedBaseline('plain', { own: percentile(own, part), baseline: percentile(without, part) })],
    ...(work.isBound && part === 0.5 ? { bound: { of: 'ratio' as const, atLeast: saveRatioMin } } : {}),
  }))
}

async function measureAllSaves(pair: Pair, options: BenchOptions): Promise<Figure[]> {
  const texts = makeMessages(pair.corpus, 3)
  const message = () => ({ content: texts.next().value, sender: 'user', role: 'user' as const })
  const verbatims = new Map([
    [pair.plain, await pair.plain.verbatim()],
    [pair.sealed, await pair.sealed.verbatim()],
  ])
  const into = (sessionId: () => string, count: number): Save => {
    return (home) => async () => {
      const messages = Array.from({ length: count }, message)
      await verbatims.get(home)?.saveMessages(home.caller, { sessionId: sessionId(), messages })
    }
  }
  const [one, many] = [randomUUID(), randomUUID()]
  const rounds = options.quick ? 60 : 400
  return [
    ...(await measureSaves(pair, { name: 'one message', save: into(() => one, 1), isBound: true }, rounds)),
    ...(await measureSaves(
      pair,
      { name: 'first message of a session', save: into(randomUUID, 1), isBound: false },
      rounds,
    )),
    ...(await measureSaves(
      pair,
      { name: `batch of ${batchMessages}`, save: into(() => many, batchMessages), isBound: true },
      options.quick ? 20 : 60,
    )),
  ]
}

/** The same queries at both, in turns. */
async function measureSearches({ plain, sealed, corpus }: Pair, each: number): Promise<Figure[]> {
  const sets = makeQueries(corpus, { each, seed: 5 })
  const queries = sets.flatMap((set) => set.queries)
  const contenders = [plain, sealed].map((home) => ({
    name: home === plain ? 'plain' : 'sealed',
    run: async (round: number) => {
      const verbatim = await home.verbatim()
      await verbatim.search(home.caller, {
        query: queries[round % queries.length] ?? '',
        limit: limits.searchHitsDefault,
        maxTokens: limits.resultTokensDefault,
        mode: 'full_text',
        context: limits.contextNeighboursDefault,
        format: 'text',
      })
    },
  }))
  const [without = [], own = []] = await interleave(contenders, { rounds: queries.length, warmUp })
  return [0.5, 0.95].map((part) => ({
    name: `search by words, encrypted, p${part * 100}`,
    value: percentile(own, part),
    unit: 'ms',
    samples: own.length,
    baselines: [timeBaseline('plain', { own: percentile(own, part), baseline: percentile(without, part) })],
    ...(part === 0.95 ? { bound: { of: 'ratio' as const, atMost: searchRatioMax } } : {}),
  }))
}

/** What encryption at rest costs: an encrypted store beside a plain one with the same messages, in the same run. */
export const encryptionBench: Bench = {
  name: 'encryption',
  async run(options) {
    const corpus = await readCorpus()
    if (corpus === undefined)
      return { bench: 'encryption', figures: [], notes: ['Skipped: shared/data is not beside the repository'] }
    await using plain = new BenchHome({ isCached: false, encryption: 'off' })
    await using sealed = new BenchHome({ isCached: false, encryption: 'on' })
    const size = options.quick ? 2_000 : 20_000
    for (const home of [plain, sealed]) {
      options.say(`filling a store with ${size} messages`)
      await home.messagesBehind()
      await new GrowingStore(home, corpus).grow(size)
    }
    const pair = { plain, sealed, corpus }
    options.say('searching')
    const searches = await measureSearches(pair, options.quick ? 20 : 100)
    options.say('saving')
    const saves = await measureAllSaves(pair, options)
    const sizes = { own: sealed.sizeOnDisk(), baseline: plain.sizeOnDisk() }
    return {
      bench: 'encryption',
      figures: [...saves, ...searches],
      notes: [
        `Two stores of ${size} messages of about 300 characters, asked in turns; what was saved is indexed before the next save.`,
        `The encrypted store took ${(sizes.own / sizes.baseline).toFixed(2)} times the disk of the other.`,
        'The first message of a session makes its key too.',
      ],
    }
  },
}
