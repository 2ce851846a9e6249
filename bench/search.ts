import { setTimeout as sleep } from 'node:timers/promises'

import { TermHashers } from '../src/indexing/terms/term-hashers.ts'
import { limits } from '../src/limits.ts'
import { parseQuery } from '../src/search/query/query-text.ts'
import { planTerms } from '../src/search/ranking/bm25.ts'
import { corpusStatistics, messageLevel } from '../src/store/search/search-units.ts'
import type { Verbatim } from '../src/verbatim.ts'
import { BenchHome } from './bench-home.ts'
import type { Bench, BenchOptions } from './bench.ts'
import { makeQueries, readCorpus, type Corpus, type QuerySet } from './corpus.ts'
import { timeBaseline, type Figure } from './figure.ts'
import { GrowingStore, sessionMessages, sizeLabel } from './growing-store.ts'
import { interleave, percentile, pick, seededRandom } from './measure.ts'
import { costOfAMillion } from './search-cost.ts'
import { readTurnVectors, VectorStore } from './search-vectors.ts'

const pageMessages = 50
const lookupRows = 10
const searchP95MsMax = 100
/** Without the time of a model. */
const hybridP95MsMax = 150
/** What a search may cost in the largest store, beside the smallest. */
const growthMax = 3
/** Beyond it the embedded engine would take half an hour to make the graph of the vectors. */
const vectorsMax = 100_000
/** Until the engine's code has been compiled for speed. */
const warmUp = 20

/** The terms by which a search of this query finds its candidates. */
async function candidateTerms(home: BenchHome, query: string): Promise<string> {
  const { hasher } = await new TermHashers((await home.verbatim()).stores.database.vault).of(home.caller.tenantId)
  const terms = parseQuery(query).terms.map((term) => ({ ...term, term: hasher(term.term) }))
  const hashes = terms.map(({ term }) => term)
  const statistics = await corpusStatistics(home.sql, { tenantId: home.caller.tenantId, level: messageLevel }, hashes)
  return `{${planTerms(terms, statistics).essential.join(',')}}`
}

function latencyFigures(name: string, samples: readonly (readonly number[])[]): Figure[] {
  const [own = [], index = [], lookup = []] = samples
  return [0.5, 0.95].map((part) => {
    const at = percentile(own, part)
    return {
      name: `${name}, p${part * 100}`,
      value: at,
      unit: 'ms',
      samples: own.length,
      baselines: [
        timeBaseline('candidates from the GIN index', { own: at, baseline: percentile(index, part) }),
        timeBaseline(`${lookupRows} rows by key`, { own: at, baseline: percentile(lookup, part) }),
      ],
    }
  })
}

interface Searcher {
  readonly verbatim: Verbatim
  readonly mode: 'full_text' | 'hybrid'
}

async function measureQueries(store: GrowingStore, { verbatim, mode }: Searcher, queries: readonly string[]) {
  const { home, stored } = store
  const random = seededRandom(11)
  const terms: string[] = []
  for (const query of queries) terms.push(await candidateTerms(home, query))
  const samples = await interleave(
    [
      {
        name: 'search',
        run: (round) =>
          verbatim.search(home.caller, {
            query: queries[round] ?? '',
            limit: limits.searchHitsDefault,
            maxTokens: limits.resultTokensDefault,
            mode,
            context: limits.contextNeighboursDefault,
            format: 'text',
          }),
      },
      {
        name: 'candidates',
        run: (round) => home.sql`
          select session_id, first_seq, part from search_units
          where tenant_id = ${home.caller.tenantId} and level = ${messageLevel} and terms && ${terms[round] ?? ''}::text::bigint[]
          limit ${limits.searchCandidatesMax}`,
      },
      {
        name: 'rows by key',
        run: () => {
          const ids = Array.from({ length: lookupRows }, () => pick(stored, random).id)
          return home.sql`select * from messages where tenant_id = ${home.caller.tenantId} and id in ${home.sql(ids)}`
        },
      },
    ],
    { rounds: queries.length - warmUp, warmUp },
  )
  return samples
}

async function measureSearch(
  store: GrowingStore,
  searcher: Searcher,
  options: { readonly sets: readonly QuerySet[]; readonly atMost: number | undefined },
): Promise<Figure[]> {
  const { sets, atMost } = options
  const at = `${sizeLabel(store.stored.length)}: ${searcher.mode === 'hybrid' ? 'hybrid search' : 'search'}`
  const figures: Figure[] = []
  const all: number[][] = [[], [], []]
  for (const { kind, queries } of sets) {
    const samples = await measureQueries(store, searcher, queries)
    for (const [index, times] of samples.entries()) all[index]?.push(...times)
    figures.push(...latencyFigures(`${at}, ${kind}`, samples))
  }
  const [p50, p95] = latencyFigures(`${at}, all`, all)
  if (p50 === undefined || p95 === undefined) throw new Error('Cannot measure a search without queries')
  return [...figures, p50, atMost === undefined ? p95 : { ...p95, bound: { of: 'value', atMost } }]
}

/** Pages of a session as get_session gives them, beside the bare rows. */
async function measurePages(store: GrowingStore, rounds: number): Promise<Figure[]> {
  const { home, stored } = store
  const verbatim = await home.verbatim()
  const random = seededRandom(13)
  const places = Array.from({ length: rounds + warmUp }, () => {
    const { sessionId, seq } = pick(stored, random)
    return { sessionId, fromSeq: Math.max(1, seq - pageMessages) }
  })
  const placeOf = (round: number) => places[round] ?? pick(places, random)
  const [own = [], baseline = []] = await interleave(
    [
      {
        name: 'page',
        run: (round) =>
          verbatim.getSession(home.caller, {
            ...placeOf(round),
            limit: pageMessages,
            maxTokens: limits.resultTokensMax,
            view: 'full',
          }),
      },
      {
        name: 'rows',
        run: (round) => {
          const { sessionId, fromSeq } = placeOf(round)
          return home.sql`
            select * from messages where tenant_id = ${home.caller.tenantId} and session_id = ${sessionId} and seq >= ${fromSeq}
            order by seq limit ${pageMessages}`
        },
      },
    ],
    { rounds, warmUp },
  )
  return [0.5, 0.95].map((part) => ({
    name: `${sizeLabel(stored.length)}: page of ${pageMessages} messages, p${part * 100}`,
    value: percentile(own, part),
    unit: 'ms',
    samples: rounds,
    baselines: [
      timeBaseline('the same rows by bare SQL', { own: percentile(own, part), baseline: percentile(baseline, part) }),
    ],
  }))
}

/** How long after its acknowledgement a single message is in the index. Looked at every 2 ms. */
async function measureLag(store: GrowingStore, rounds: number): Promise<Figure[]> {
  const size = sizeLabel(store.stored.length)
  const { home } = store
  const random = seededRandom(17)
  const lags: number[] = []
  for (let round = 0; round < rounds; round++) {
    await sleep(random() * 50)
    await store.save(1)
    const savedAt = performance.now()
    const last = store.stored.at(-1)
    if (last === undefined) throw new Error('A saved message is not noted')
    const isIndexed = async () => {
      const rows = await home.sql`
        select from search_units where tenant_id = ${home.caller.tenantId} and level = ${messageLevel}
          and session_id = ${last.sessionId} and first_seq = ${last.seq} limit 1`
      return rows.length > 0
    }
    while (!(await isIndexed())) await sleep(2)
    lags.push(performance.now() - savedAt)
  }
  return [0.5, 0.95].map((part) => ({
    name: `${size}: index lag of a single save, p${part * 100}`,
    value: percentile(lags, part),
    unit: 'ms',
    samples: rounds,
  }))
}

async function measureAt(store: GrowingStore, corpus: Corpus, options: BenchOptions & { readonly bounded: boolean }) {
  const sets = makeQueries(corpus, { each: (options.quick ? 20 : 60) + warmUp, seed: 5 })
  const verbatim = await store.home.verbatim()
  const atMost = options.bounded ? searchP95MsMax : undefined
  return [
    {
      name: `${sizeLabel(store.stored.length)}: bytes on disk a message, words and text`,
      value: store.home.sizeOnDisk() / store.stored.length,
      unit: 'bytes',
    },
    ...(await measureSearch(store, { verbatim, mode: 'full_text' }, { sets, atMost })),
    ...(await measurePages(store, options.quick ? 30 : 100)),
    ...(await measureLag(store, options.quick ? 30 : 100)),
  ]
}

async function measureHybrid(
  store: GrowingStore,
  vectors: VectorStore,
  options: { readonly sets: readonly QuerySet[]; readonly bounded: boolean },
): Promise<Figure[]> {
  const grown = await vectors.grow()
  const searcher: Searcher = { verbatim: vectors.open(), mode: 'hybrid' }
  const atMost = options.bounded ? hybridP95MsMax : undefined
  return [
    ...grown,
    ...(await measureSearch(store, searcher, { sets: options.sets, atMost })),
    {
      name: `${sizeLabel(store.stored.length)}: bytes on disk a message, with vectors`,
      value: store.home.sizeOnDisk() / store.stored.length,
      unit: 'bytes',
    },
  ]
}

/** How much longer a search takes in the largest store than in the smallest. */
function growthOf(figures: readonly Figure[], sizes: readonly number[]): Figure[] {
  const p95At = (size: number | undefined) =>
    figures.find(({ name }) => size !== undefined && name === `${sizeLabel(size)}: search, all, p95`)?.value
  const [small, large] = [p95At(sizes[0]), p95At(sizes.at(-1))]
  if (small === undefined || large === undefined || sizes.length < 2) return []
  const name = `search, all, p95: ${sizeLabel(sizes.at(-1) ?? 0)} beside ${sizeLabel(sizes[0] ?? 0)}`
  return [{ name, value: large / small, unit: 'times', bound: { of: 'value', atMost: growthMax } }]
}

export const searchBench: Bench = {
  name: 'search',
  async run(options) {
    const corpus = await readCorpus()
    if (corpus === undefined) {
      return { bench: 'search', figures: [], notes: ['Skipped: shared/data is not beside the repository'] }
    }
    const sizes = options.sizes ?? (options.quick ? [1_000, 10_000] : [10_000, 100_000])
    await using home = new BenchHome({ isCached: false })
    const store = new GrowingStore(home, corpus)
    const turns = await readTurnVectors()
    const vectors = turns === undefined ? undefined : new VectorStore(store, turns)
    // The daemon starts here, outside what is timed.
    await home.messagesBehind()
    const figures: Figure[] = []
    for (const size of sizes) {
      options.say(`growing to ${size} messages`)
      figures.push(...(await store.grow(size)))
      options.say('searching')
      const bounded = size >= 100_000
      figures.push(...(await measureAt(store, corpus, { ...options, bounded })))
      if (vectors === undefined || size > vectorsMax) continue
      options.say('making vectors and searching by meaning too')
      const sets = makeQueries(corpus, { each: (options.quick ? 20 : 60) + warmUp, seed: 29 })
      figures.push(...(await measureHybrid(store, vectors, { sets, bounded })))
    }
    const valueAt = (what: string) =>
      figures.find(({ name }) => name === `${sizeLabel(sizes.at(-1) ?? 0)}: ${what}`)?.value
    figures.push(
      ...growthOf(figures, sizes),
      ...costOfAMillion(corpus, {
        bytesAMessage: valueAt('bytes on disk a message, words and text'),
        indexedASecond: valueAt('saved and indexed'),
      }),
    )
    const [terms] = await home.sql<{ count: string }[]>`select count(*) from term_stats`
    return {
      bench: 'search',
      figures,
      notes: [
        `Real sentences in a new order, about 300 characters a message, ${sessionMessages} messages a session; ${terms?.count} different terms at the end.`,
        'After each growth the store is measured as it is after ten idle minutes: vacuumed, and with a daemon that began since.',
        'A search reads, checks and ranks the messages and returns 10 hits with their neighbours; the baselines only fetch rows.',
        'Cost: at the list price of gemini-embedding-2 in 2026, 0.20 US dollars a million tokens; a short message is embedded twice, alone and after the turn before it. The model on this machine costs no money and about 50 ms of one core for each text.',
        'Vectors: those of text-embedding-3-small of LoCoMo turns, cut to 384 dimensions and repeated with noise; a query is one of them with other noise, and no model takes time.',
      ],
    }
  },
}
