import { randomUUID } from 'node:crypto'

import { openVerbatim } from '../../src/compose.ts'
import { readConfig } from '../../src/config.ts'
import { TermHashers } from '../../src/indexing/terms/term-hashers.ts'
import { limits } from '../../src/limits.ts'
import { firstTenantId, localCaller } from '../../src/model/access.ts'
import { parseQuery } from '../../src/search/query/query-text.ts'
import { planTerms } from '../../src/search/ranking/bm25.ts'
import { corpusStatistics, messageLevel } from '../../src/store/search/search-units.ts'
import type { Baseline, Figure, Table } from '../figure.ts'
import { formatNumber } from '../figure.ts'
import { builtCore } from './built-core.ts'
import { poolConnections, type Cluster, type Process } from './cluster.ts'
import { describeTimes, HttpCaller, joinLoads, runCalls, runLoad, type Load } from './load.ts'
import { RawMessages } from './raw.ts'

export interface MeasureOptions {
  readonly seconds: number
  readonly rounds: number
  readonly quick: boolean
  readonly texts: () => string
  /** Says on stderr what was measured: a bench that ends early has said what it found. */
  readonly say: (text: string) => void
}

interface Contender {
  readonly name: string
  readonly call: (client: number) => Promise<unknown>
  /** The process that answers, whose work is counted. */
  readonly process?: Process | undefined
}

interface Measured extends Load {
  /** Milliseconds of CPU a call of the process that answers, and of PostgreSQL. */
  readonly cpuMs: number | undefined
  readonly postgresMs: number
}

const warmUpSeconds = 1
/** Calls after which a process answers at its speed: by seconds, the slower of two contenders would be measured while its code is still being compiled. */
const unmeasuredCalls = { save: 3_000, search: 500 }
/** A tenth of them where a bench only looks whether everything works. */
const quickPart = 0.1
const saveRatioMin = 0.5
const coreRatioMin = 0.6

/** Lets contenders run in turns, so that what disturbs the machine disturbs all of them alike. */
async function inTurns(
  cluster: Cluster,
  contenders: readonly Contender[],
  options: MeasureOptions & { readonly clients: number; readonly what: keyof typeof unmeasuredCalls },
): Promise<readonly Measured[]> {
  const loads = contenders.map((): Load[] => [])
  const spent = contenders.map(() => ({ own: 0, postgres: 0, calls: 0 }))
  // These do not count: code is compiled for speed in them.
  const calls = unmeasuredCalls[options.what] * (options.quick ? quickPart : 1)
  for (const { call } of contenders) await runCalls(call, { clients: options.clients, calls })
  for (let round = 0; round < options.rounds; round++) {
    for (const [index, { call, process }] of contenders.entries()) {
      const before = { own: process?.cpuSeconds ?? 0, postgres: cluster.postgresCpuSeconds() }
      let calls = 0
      const counted = async (client: number) => {
        await call(client)
        calls++
      }
      const load = await runLoad(counted, { clients: options.clients, seconds: options.seconds, warmUpSeconds })
      loads[index]?.push(load)
      const spending = spent[index]
      if (spending === undefined) continue
      spending.own += (process?.cpuSeconds ?? 0) - before.own
      spending.postgres += cluster.postgresCpuSeconds() - before.postgres
      spending.calls += calls
    }
  }
  return contenders.map(({ name, process }, index) => {
    const { own = 0, postgres = 0, calls = 1 } = spent[index] ?? {}
    const cpuMs = process === undefined ? undefined : (own * 1000) / calls
    const joined = joinLoads(loads[index] ?? [])
    options.say(`  ${name}, ${options.clients} clients: ${formatNumber(joined.rate)} calls/s`)
    return { ...joined, cpuMs, postgresMs: (postgres * 1000) / calls }
  })
}

function rateBaseline(name: string, own: Load, baseline: Load): Baseline {
  return { name, value: baseline.rate, ratio: own.rate / baseline.rate, ratioOf: 'speeds' }
}

function rateFigure(name: string, own: Load, baselines: readonly Baseline[]): Figure {
  return { name, value: own.rate, unit: 'calls/s', samples: own.times.length, baselines }
}

const header = ['what', 'clients', 'calls/s', 'p50 / p95 / p99, ms', 'CPU ms a call: server', 'PostgreSQL']

function row(name: string, clients: number, load: Measured): string[] {
  const cpu = load.cpuMs === undefined ? '' : formatNumber(load.cpuMs)
  return [name, String(clients), formatNumber(load.rate), describeTimes(load), cpu, formatNumber(load.postgresMs)]
}

/** Saves over HTTP beside an empty tool on the same stack, and beside raw SQL. */
export async function measureSaves(
  cluster: Cluster,
  processes: { readonly web: Process; readonly empty: Process },
  options: MeasureOptions & { readonly clients: readonly number[] },
): Promise<{ readonly figures: Figure[]; readonly table: Table }> {
  const figures: Figure[] = []
  const rows: string[][] = []
  const own = new HttpCaller([processes.web.url], cluster.token)
  const nothing = new HttpCaller([processes.empty.url], cluster.token)
  for (const clients of options.clients) {
    await using connected = disposable(cluster.connect(Math.min(clients, poolConnections)))
    const raw = new RawMessages(connected.sql, clients)
    const sessions = Array.from({ length: clients }, () => randomUUID())
    const args = (client: number) => ({ session_id: sessions[client], content: options.texts(), sender: 'user' })
    const contenders = [
      {
        name: 'save_message',
        call: (client: number) => own.call(client, 'save_message', args(client)),
        process: processes.web,
      },
      {
        name: 'an empty tool',
        call: (client: number) => nothing.call(client, 'nothing', args(client)),
        process: processes.empty,
      },
      { name: 'raw INSERT', call: (client: number) => raw.insert(client, options.texts()) },
    ]
    const measured = await inTurns(cluster, contenders, { ...options, clients, what: 'save' })
    const [save, empty, insert] = measured
    if (save === undefined || empty === undefined || insert === undefined) throw new Error('A contender is missing')
    rows.push(...contenders.map(({ name }, index) => row(name, clients, measured[index] ?? save)))
    figures.push({
      ...rateFigure(`save over HTTP, ${clients} clients`, save, [
        rateBaseline('an empty tool on the same server', save, empty),
        rateBaseline('raw INSERT', save, insert),
      ]),
      bound: { of: 'ratio', atLeast: saveRatioMin },
    })
  }
  own.close()
  nothing.close()
  figures.push({ name: 'resident memory of the process that answers', value: processes.web.residentMiB, unit: 'MiB' })
  return { figures, table: { title: 'Saves', header, rows } }
}

/** Saves through the core, in this process, beside raw SQL from this process. */
export async function measureCore(cluster: Cluster, options: MeasureOptions): Promise<Figure[]> {
  const figures: Figure[] = []
  const built = await builtCore()
  await using verbatim = await built.openVerbatim(readConfig(cluster.settings('web')))
  const caller = localCaller('bench')
  for (const clients of [1, 8]) {
    await using connected = disposable(cluster.connect(clients))
    const raw = new RawMessages(connected.sql, clients)
    const sessions = Array.from({ length: clients }, () => randomUUID())
    const [core, insert] = await inTurns(
      cluster,
      [
        {
          name: 'core',
          call: (client) =>
            verbatim.saveMessages(caller, {
              sessionId: sessions[client],
              messages: [{ content: options.texts(), sender: 'user', role: 'user' }],
            }),
        },
        { name: 'raw INSERT', call: (client) => raw.insert(client, options.texts()) },
      ],
      { ...options, clients, what: 'save' },
    )
    if (core === undefined || insert === undefined) throw new Error('A contender is missing')
    figures.push({
      ...rateFigure(`save through the core, ${clients} clients`, core, [rateBaseline('raw INSERT', core, insert)]),
      bound: { of: 'ratio', atLeast: coreRatioMin },
    })
  }
  return figures
}

/** Searches over HTTP: each another query, the same query again and again, and the candidates alone by raw SQL. */
export async function measureSearches(
  cluster: Cluster,
  web: Process,
  options: MeasureOptions & { readonly clients: readonly number[]; readonly queries: readonly string[] },
): Promise<{ readonly figures: Figure[]; readonly table: Table }> {
  const figures: Figure[] = []
  const rows: string[][] = []
  const http = new HttpCaller([web.url], cluster.token)
  const queries = endless(options.queries)
  const asked = askedAnew(queries)
  const terms = endless(await candidateTerms(cluster, options.queries))
  for (const clients of options.clients) {
    await using connected = disposable(cluster.connect(Math.min(clients, poolConnections)))
    const repeated = queries()
    const contenders = [
      {
        name: 'search_memory',
        call: (client: number) => http.call(client, 'search_memory', asked()),
        process: web,
      },
      {
        name: 'the same query',
        call: (client: number) => http.call(client, 'search_memory', { query: repeated }),
        process: web,
      },
      {
        name: 'raw SELECT',
        call: () => connected.sql`
          select session_id, first_seq, part from search_units
          where tenant_id = ${firstTenantId} and level = ${messageLevel} and terms && ${terms()}::text::bigint[]
          limit ${limits.searchCandidatesMax}`,
      },
    ]
    const measured = await inTurns(cluster, contenders, { ...options, clients, what: 'search' })
    const [search, same, select] = measured
    if (search === undefined || same === undefined || select === undefined) throw new Error('A contender is missing')
    rows.push(...contenders.map(({ name }, index) => row(name, clients, measured[index] ?? search)))
    figures.push(
      rateFigure(`search over HTTP, ${clients} clients`, search, [
        rateBaseline('candidates by raw SELECT', search, select),
        rateBaseline('the same query again and again, from the cache', search, same),
      ]),
    )
  }
  http.close()
  return { figures, table: { title: 'Searches', header, rows } }
}

/** Two processes that answer beside one, in turns. */
export async function measureReplicas(
  cluster: Cluster,
  webs: readonly [Process, Process],
  options: MeasureOptions & { readonly clients: number; readonly queries: readonly string[] },
): Promise<Figure[]> {
  const one = new HttpCaller([webs[0].url], cluster.token)
  const two = new HttpCaller(
    webs.map(({ url }) => url),
    cluster.token,
  )
  const queries = endless(options.queries)
  const sessions = Array.from({ length: options.clients }, () => randomUUID())
  const save = (caller: HttpCaller) => (client: number) =>
    caller.call(client, 'save_message', { session_id: sessions[client], content: options.texts(), sender: 'user' })
  const asked = askedAnew(queries)
  const search = (caller: HttpCaller) => (client: number) => caller.call(client, 'search_memory', asked())
  const figures: Figure[] = []
  for (const [name, call] of [
    ['save', save],
    ['search', search],
  ] as const) {
    if (name === 'search' && options.queries.length === 0) continue
    const contenders = [
      { name: 'two', call: call(two) },
      { name: 'one', call: call(one) },
    ]
    const [both, single] = await inTurns(cluster, contenders, { ...options, what: name })
    if (both === undefined || single === undefined) throw new Error('A contender is missing')
    figures.push(
      rateFigure(`${name} over HTTP, two replicas, ${options.clients} clients`, both, [
        rateBaseline('one replica', both, single),
      ]),
    )
  }
  one.close()
  two.close()
  return figures
}

/** The terms by which a search of each query finds its candidates, as array literals. */
async function candidateTerms(cluster: Cluster, queries: readonly string[]): Promise<string[]> {
  await using verbatim = await openVerbatim(readConfig(cluster.settings('web')))
  const { hasher } = await new TermHashers(verbatim.stores.database.vault).of(firstTenantId)
  const literals: string[] = []
  for (const query of queries) {
    const terms = parseQuery(query).terms.map((term) => ({ ...term, term: hasher(term.term) }))
    const hashes = terms.map(({ term }) => term)
    const statistics = await corpusStatistics(cluster.sql, { tenantId: firstTenantId, level: messageLevel }, hashes)
    literals.push(`{${planTerms(terms, statistics).essential.join(',')}}`)
  }
  return literals
}

/** Each is another question, so that none is answered by what is remembered of one before: its end lies a second further ahead. */
function askedAnew(queries: () => string): () => { readonly query: string; readonly until: string } {
  let next = Date.UTC(2100, 0)
  return () => ({ query: queries(), until: new Date((next += 1_000)).toISOString() })
}

function endless<T>(values: readonly T[]): () => T {
  let next = 0
  return () => {
    const value = values[next++ % values.length]
    if (value === undefined) throw new Error('Cannot take from an empty list')
    return value
  }
}

function disposable(sql: ReturnType<Cluster['connect']>) {
  return { sql, [Symbol.asyncDispose]: () => sql.end() }
}
