import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'

import { openVerbatim } from '../../src/compose.ts'
import { readConfig } from '../../src/config.ts'
import { firstTenantId, localCaller } from '../../src/model/access.ts'
import { indexTopic, outboxBacklog } from '../../src/store/work/outbox.ts'
import { setup as buildWhenStale } from '../../test/support/global-setup.ts'
import { makeMessages, makeQueries, readCorpus } from '../corpus.ts'
import { holds, renderBench, type BenchResult, type Figure, type Table } from '../figure.ts'
import { describeMachine } from '../machine.ts'
import { seededRandom } from '../measure.ts'
import { renderReport, writeResults } from '../results.ts'
import { Cluster, poolConnections, type Process } from './cluster.ts'
import { measureCore, measureReplicas, measureSaves, measureSearches, type MeasureOptions } from './measures.ts'
import { RawMessages } from './raw.ts'

/**
 * `npm run bench:server -- [--quick] [--only saves] [--messages N] [--clients N,N…] [--seconds N] [--json] [--no-build]`: saves and
 * searches over HTTP on a PostgreSQL of its own that waits for the disk, each beside its baselines in turns. `--messages` are loaded
 * before the searches: 20,000 without it. Exits 1 where a promise does not hold.
 */
const { values } = parseArgs({
  allowNegative: true,
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    messages: { type: 'string' },
    clients: { type: 'string' },
    seconds: { type: 'string' },
    json: { type: 'boolean', default: false },
    build: { type: 'boolean', default: true },
  },
})
const atLeastOne = (text: string | undefined, usual: number, name: string): number => {
  const value = text === undefined ? usual : Number(text)
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} takes whole numbers from 1 on`)
  return value
}
const messages = atLeastOne(values.messages, values.quick ? 2_000 : 20_000, 'messages')
const clients = (values.clients ?? (values.quick ? '1,8' : '1,8,32,128'))
  .split(',')
  .map((text) => atLeastOne(text, 1, 'clients'))
const seconds = atLeastOne(values.seconds, values.quick ? 1 : 5, 'seconds')
const replicaClients = 32
const batch = 500
const indexMs = 3_600_000
if (values.only !== undefined && values.only !== 'saves') throw new Error('--only takes: saves')
const onlySaves = values.only === 'saves'

if (values.build) buildWhenStale()
const say = (text: string) => process.stderr.write(`${text}\n`)
const machine = describeMachine()
const corpus = await readCorpus()
const random = seededRandom(3)
const words = () => Array.from({ length: 45 }, () => Math.floor(random() * 36 ** 5).toString(36)).join(' ')
const texts = corpus === undefined ? undefined : makeMessages(corpus, 7)
const text = () => texts?.next().value ?? words()
const queries = corpus === undefined ? [] : makeQueries(corpus, { each: 100, seed: 5 }).flatMap(({ queries: of }) => of)

/** Messages that are saved and cannot be found yet. */
async function backlog(cluster: Cluster): Promise<number> {
  return (await outboxBacklog(cluster.sql, firstTenantId, { topic: indexTopic })).messages
}

async function untilIndexed(cluster: Cluster): Promise<void> {
  const deadline = performance.now() + indexMs
  while ((await backlog(cluster)) > 0) {
    if (performance.now() > deadline) throw new Error(`The index was not complete within ${indexMs} ms`)
    await sleep(200)
  }
}

/** Fills the store in the largest batches, with a worker beside. */
async function load(cluster: Cluster): Promise<Figure[]> {
  await using verbatim = await openVerbatim(readConfig(cluster.settings('web')))
  const caller = localCaller('bench')
  const sizeBefore = await databaseBytes(cluster)
  const startedAt = performance.now()
  let saved = 0
  while (saved < messages) {
    const count = Math.min(batch, messages - saved)
    const made = Array.from({ length: count }, () => ({ content: text(), sender: 'user', role: 'user' as const }))
    await verbatim.saveMessages(caller, { sessionId: `load ${Math.floor(saved / 1_000)}`, messages: made })
    saved += count
  }
  const savedSeconds = (performance.now() - startedAt) / 1000
  await untilIndexed(cluster)
  const indexedSeconds = (performance.now() - startedAt) / 1000
  await cluster.sql`vacuum (analyze)`
  const bytes = (await databaseBytes(cluster)) - sizeBefore
  return [
    {
      name: `${messages} messages in batches of ${batch}, a worker beside: saved`,
      value: messages / savedSeconds,
      unit: 'messages/s',
    },
    { name: 'the same: saved and indexed', value: messages / indexedSeconds, unit: 'messages/s' },
    { name: 'the same: bytes in the database a message', value: bytes / messages, unit: 'bytes' },
  ]
}

async function databaseBytes(cluster: Cluster): Promise<number> {
  await cluster.sql`checkpoint`
  const [about] = await cluster.sql<{ bytes: string }[]>`select pg_database_size(current_database()) as bytes`
  return Number(about?.bytes)
}

/** What a store with many messages in it takes: loading, searches, a second replica. */
async function measureTheRest(
  cluster: Cluster,
  web: Process,
  options: MeasureOptions,
): Promise<{ readonly figures: readonly Figure[]; readonly tables: readonly Table[] }> {
  say(`loading ${messages} messages, with a worker`)
  const worker = await cluster.serve('worker')
  await untilIndexed(cluster)
  const loaded = await load(cluster)
  say('searching')
  const searches =
    queries.length === 0 ? undefined : await measureSearches(cluster, web, { ...options, clients, queries })
  say('two replicas beside one, and a worker')
  const second = await cluster.serve('web')
  const replicas = await measureReplicas(cluster, [web, second], { ...options, clients: replicaClients, queries })
  await untilIndexed(cluster)
  const memory = (name: string, process: { readonly residentMiB: number }): Figure => ({
    name,
    value: process.residentMiB,
    unit: 'MiB',
  })
  return {
    figures: [
      ...loaded,
      ...(searches?.figures ?? []),
      ...replicas,
      memory('resident memory of a replica after all of it', web),
      memory('resident memory of the worker after all of it', worker),
    ],
    tables: searches === undefined ? [] : [searches.table],
  }
}

async function run(): Promise<BenchResult> {
  await using cluster = await Cluster.start()
  const options = { seconds, rounds: values.quick ? 1 : 2, quick: values.quick, texts: text, say }
  const web = await cluster.serve('web')
  const empty = await cluster.serveEmpty()
  await using admin = { sql: cluster.connect(1), [Symbol.asyncDispose]: () => admin.sql.end() }
  await RawMessages.create(admin.sql)
  say('saving over HTTP, without a worker')
  const saves = await measureSaves(cluster, { web, empty }, { ...options, clients })
  await empty.stop()
  say('saving through the core')
  const core = await measureCore(cluster, options)
  const rest = onlySaves ? undefined : await measureTheRest(cluster, web, options)
  return {
    bench: onlySaves ? 'server-saves' : 'server',
    figures: [...saves.figures, ...core, ...(rest?.figures ?? [])],
    tables: [saves.table, ...(rest?.tables ?? [])],
    notes: [
      `PostgreSQL ${cluster.version} on this machine with fsync and synchronous_commit on, and its usual settings otherwise. The clients, the server and PostgreSQL share the cores.`,
      `Clients ask again as soon as they are answered, each in a session of its own. A process has ${poolConnections} connections, and raw SQL at most as many.`,
      'The empty tool is served by the same gate, token check, transport and protocol. A raw INSERT is committed by itself, into a table with the columns and indexes of the messages. The core is built as the product is.',
      'Saves are measured without a worker on the machine; two replicas with one. The raw SELECT only fetches the keys of the candidates that the product then scores, reads, checks and ranks.',
      ...(queries.length === 0 ? ['No searches: shared/data is not beside the repository'] : []),
    ],
  }
}

const result = await run()
const report = { at: new Date().toISOString(), quick: values.quick, complete: false, machine, results: [result] }
const files = await writeResults(report)
if (values.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
else
  process.stdout.write(
    `${renderBench(result)}\n${renderReport({ ...report, results: [] })}\nKept in ${files.join(' and ')}\n`,
  )
if (result.figures.some((figure) => holds(figure) === false)) process.exitCode = 1
