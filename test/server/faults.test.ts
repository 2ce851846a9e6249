import { setTimeout as sleep } from 'node:timers/promises'

import postgres from 'postgres'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { openVerbatim } from '../../src/compose.ts'
import { localCaller } from '../../src/model/access.ts'
import { faultCycles, useFreshStore } from '../embedded/store-fixture.ts'
import { Acknowledged, expectAllSaved } from '../fault/acknowledged.ts'
import { findPostgres, makeOrdinaryDatabase, startPostgres, withPath } from '../support/postgres.ts'
import { quietConfig } from '../support/quiet-config.ts'
import { OpenAiStandIn } from '../support/stand-ins/openai.ts'
import { lacksVectors, makeDatabase } from '../support/test-store.ts'

const store = useFreshStore()
const found = findPostgres(process.env)
const cycles = faultCycles(3)
/** Of processes that save and index, three at a time. */
const kills = Number(process.env['FAULT_KILLS'] ?? cycles * 3)
const caller = localCaller('fault test')
let standIn: OpenAiStandIn
beforeAll(async () => {
  standIn = await OpenAiStandIn.start()
})
afterAll(() => standIn.stop())

/** A model whose vectors are made within the tests, where the server can keep them. */
function embedder(): Record<string, string> {
  if (lacksVectors) return {}
  return {
    VERBATIM_EMBEDDER: 'openai-compatible',
    VERBATIM_EMBEDDER_URL: `${standIn.url}/v1`,
    VERBATIM_EMBEDDING_MODEL: standIn.model,
  }
}

function environmentOf(url: string): Record<string, string> {
  return { DATABASE_URL: url, FAULT_SETTINGS: JSON.stringify(embedder()) }
}

async function makeVectorExtension(url: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  await sql`create extension if not exists vector`
  await sql.end()
}

/** The work on thousands of messages waits until those who save have ended. */
const workedOff = { timeout: 120_000 + cycles * 10_000, interval: 500 }

/** Every message has its units and its vectors once, the statistics count each unit once, and no work is left. */
async function expectIndexedOnce(url: string, messages: number): Promise<void> {
  await using verbatim = await openVerbatim(quietConfig(store.current.home, url, embedder()))
  const behind = async () => {
    const { index, semantic_search: semantic } = await verbatim.status(caller)
    return { ...index, vectors_behind: semantic.messages_behind, vectors_failed: semantic.failed_for_good }
  }
  await expect
    .poll(behind, workedOff)
    .toEqual({ messages_behind: 0, failed_for_good: 0, vectors_behind: 0, vectors_failed: 0 })
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    const [counts] = await sql`
      select (select count(*) from messages)::int as messages,
        (select count(distinct (session_id, first_seq)) from search_units where level = 0)::int as indexed,
        (select wholes from corpus_stats where level = 0)::int as counted,
        (select sum(documents) from term_stats where level = 0)::int as documents,
        (select sum(cardinality(terms)) from search_units where level = 0)::int as terms`
    expect(counts).toMatchObject({ messages, indexed: messages, counted: messages, documents: counts?.['terms'] })
    if (lacksVectors) return
    const [vectors] = await sql`
      select (select count(*) from messages m where not exists (
          select from unit_vectors v where v.tenant_id = m.tenant_id and v.session_id = m.session_id and v.first_seq = m.seq))::int as lacking,
        (select count(*) from unit_vectors full join embedded_units using (tenant_id, model_id, level, session_id, first_seq, part)
          where unit_vectors.role is null or text_sha256 is null)::int as single`
    expect(vectors).toEqual({ lacking: 0, single: 0 })
  } finally {
    await sql.end()
  }
}

test.skipIf(found.kind !== 'programs')(
  `no acknowledged message is missing, changed or doubled when the server is stopped at once ${cycles} times`,
  { timeout: 240_000 + cycles * 30_000 },
  async () => {
    const server = await startPostgres(found.kind === 'programs' ? found.directory : '')
    try {
      const acknowledged = new Acknowledged()
      const sessions = ['writer-0', 'writer-1', 'writer-2', 'writer-3']
      const count = cycles * 60
      const url = await makeOrdinaryDatabase(server.url, 'restarted')
      if (!lacksVectors) await makeVectorExtension(withPath(server.url, { database: 'restarted' }))
      store.current.environment = environmentOf(url)
      const writers = sessions.map((session) =>
        store.current.startScript('save-messages.ts', [session, '0', String(count)], acknowledged.read),
      )
      let restarts = 0
      for (; restarts < cycles; restarts++) {
        const before = acknowledged.size
        while (acknowledged.size === before && writers.some(({ child }) => child.exitCode === null)) await sleep(10)
        if (writers.every(({ child }) => child.exitCode !== null)) break
        await sleep(Math.random() * 300)
        await server.restart()
      }
      // Processes that went through it go on with the background work too.
      const survivor = await openVerbatim(quietConfig(store.current.home, url, embedder()))
      await using _survivor = survivor
      await survivor.saveMessages(caller, {
        sessionId: 'before',
        messages: [{ content: 'x', sender: 'a', role: 'user' }],
      })
      await expect.poll(async () => (await survivor.status(caller)).index.messages_behind, workedOff).toBe(0)
      expect(await Promise.all(writers.map(({ exit }) => exit))).toEqual(writers.map(() => ({ code: 0, errors: '' })))
      await server.restart()
      await survivor.saveMessages(caller, {
        sessionId: 'after',
        messages: [{ content: 'y', sender: 'a', role: 'user' }],
      })
      await expect.poll(async () => (await survivor.status(caller)).index.messages_behind, workedOff).toBe(0)
      expect(restarts).toBe(cycles)
      expect(acknowledged.size).toBe(sessions.length * count)
      await expectAllSaved(quietConfig(store.current.home, url), { acknowledged, sessions })
      await expectIndexedOnce(url, acknowledged.size + 2)
    } finally {
      await server.stop()
    }
  },
)

test(
  `everything is indexed once when processes that save and index are killed ${kills} times`,
  { timeout: 240_000 + kills * 10_000 },
  async () => {
    const database = await makeDatabase()
    try {
      const acknowledged = new Acknowledged()
      store.current.environment = environmentOf(database.url)
      const write = (session: string, from: number) =>
        store.current.startScript('save-messages.ts', [session, String(from), '1000000'], acknowledged.read)
      for (let killed = 0; killed < kills; killed += 3) {
        const from = killed * 100_000
        const writers = ['a', 'b', 'c'].slice(0, kills - killed).map((session) => write(session, from))
        const before = acknowledged.size
        while (acknowledged.size < before + 60) await sleep(10)
        for (const { child, exit } of writers) {
          await sleep(Math.random() * 300)
          child.kill('SIGKILL')
          await exit
        }
      }
      const sessions = ['a', 'b', 'c']
      await expectAllSaved(quietConfig(store.current.home, database.url), { acknowledged, sessions })
      const sql = postgres(database.url, { max: 1, onnotice: () => undefined })
      const [stored] = await sql<{ count: number }[]>`select count(*)::int as count from messages`
      await sql.end()
      expect(stored?.count).toBeGreaterThanOrEqual(acknowledged.size)
      await expectIndexedOnce(database.url, stored?.count ?? 0)
    } finally {
      await database.drop()
    }
  },
)
