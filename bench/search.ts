import { setTimeout as sleep } from 'node:timers/promises'

import { createTermHasher, defaultTermKey } from '../src/indexing/terms.ts'
import { limits } from '../src/limits.ts'
import { planTerms } from '../src/search/bm25.ts'
import { parseQuery } from '../src/search/query-text.ts'
import { corpusStatistics, messageLevel } from '../src/store/search-units.ts'
import { BenchHome } from './bench-home.ts'
import type { Bench, BenchOptions } from './bench.ts'
import { makeQueries, readCorpus, type Corpus, type QuerySet } from './corpus.ts'
import { timeBaseline, type Figure } from './figure.ts'
import { GrowingStore, sessionMessages, sizeLabel } from './growing-store.ts'
import { interleave, percentile, pick, seededRandom } from './measure.ts'

const pageMessages = 50
const lookupRows = 10
const searchP95MsMax = 100
const warmUp = 5

/** The terms by which a search of this query finds its candidates. */
async function candidateTerms(home: BenchHome, query: string): Promise<string> {
  const hasher = createTermHasher(defaultTermKey)
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

async function measureQueries(store: GrowingStore, queries: readonly string[]) {
  const { home, stored } = store
  const verbatim = await home.verbatim()
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
            mode: 'full_text',
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

async function measureSearch(store: GrowingStore, sets: readonly QuerySet[], bounded: boolean): Promise<Figure[]> {
  const at = sizeLabel(store.stored.length)
  const figures: Figure[] = []
  const all: number[][] = [[], [], []]
  for (const { kind, queries } of sets) {
    const samples = await measureQueries(store, queries)
    for (const [index, times] of samples.entries()) all[index]?.push(...times)
    figures.push(...latencyFigures(`${at}: search, ${kind}`, samples))
  }
  const [p50, p95] = latencyFigures(`${at}: search, all`, all)
  if (p50 === undefined || p95 === undefined) throw new Error('Cannot measure a search without queries')
  return [...figures, p50, bounded ? { ...p95, bound: { of: 'value', atMost: searchP95MsMax } } : p95]
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
  const each = (options.quick ? 20 : 60) + warmUp
  return [
    ...(await measureSearch(store, makeQueries(corpus, { each, seed: 5 }), options.bounded)),
    ...(await measurePages(store, options.quick ? 30 : 100)),
    ...(await measureLag(store, options.quick ? 30 : 100)),
  ]
}

export const searchBench: Bench = {
  name: 'search',
  async run(options) {
    const corpus = await readCorpus()
    if (corpus === undefined) {
      return { bench: 'search', figures: [], notes: ['Skipped: shared/data is not beside the repository'] }
    }
    const sizes = options.quick ? [1_000, 10_000] : [10_000, 100_000]
    await using home = new BenchHome()
    const store = new GrowingStore(home, corpus)
    // The daemon starts here, outside what is timed.
    await home.messagesBehind()
    const figures: Figure[] = []
    for (const size of sizes) {
      options.say(`growing to ${size} messages`)
      figures.push(...(await store.grow(size)))
      options.say('searching')
      figures.push(...(await measureAt(store, corpus, { ...options, bounded: size === 100_000 })))
    }
    const [terms] = await home.sql<{ count: string }[]>`select count(*) from term_stats`
    return {
      bench: 'search',
      figures,
      notes: [
        `Real sentences in a new order, about 300 characters a message, ${sessionMessages} messages a session; ${terms?.count} different terms at the end.`,
        'A search reads, checks and ranks the messages and returns 10 hits with their neighbours; the baselines only fetch rows.',
      ],
    }
  },
}
