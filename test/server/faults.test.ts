import { setTimeout as sleep } from 'node:timers/promises'

import postgres from 'postgres'
import { expect, test } from 'vitest'

import { openVerbatim } from '../../src/compose.ts'
import { localCaller } from '../../src/model/access.ts'
import { faultCycles, useFreshStore } from '../embedded/store-fixture.ts'
import { Acknowledged, expectAllSaved } from '../fault/acknowledged.ts'
import { findPostgres, makeOrdinaryDatabase, startPostgres } from '../support/postgres.ts'
import { quietConfig } from '../support/quiet-config.ts'
import { makeDatabase } from '../support/test-store.ts'

const store = useFreshStore()
const found = findPostgres(process.env)
const cycles = faultCycles(3)
const caller = localCaller('fault test')

/** Every message has its units once, the statistics count each unit once, and no work is left. */
async function expectIndexedOnce(url: string, messages: number): Promise<void> {
  await using verbatim = await openVerbatim(quietConfig(store.current.home, url))
  const behind = async () => (await verbatim.status(caller)).index
  await expect.poll(behind, { timeout: 60_000 }).toEqual({ messages_behind: 0, failed_for_good: 0 })
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    const [counts] = await sql`
      select (select count(*) from messages)::int as messages,
        (select count(distinct (session_id, first_seq)) from search_units where level = 0)::int as indexed,
        (select wholes from corpus_stats where level = 0)::int as counted,
        (select sum(documents) from term_stats where level = 0)::int as documents,
        (select sum(cardinality(terms)) from search_units where level = 0)::int as terms`
    expect(counts).toMatchObject({ messages, indexed: messages, counted: messages, documents: counts?.['terms'] })
  } finally {
    await sql.end()
  }
}

test.skipIf(found.kind !== 'programs')(
  `no acknowledged message is missing, changed or doubled when the server is stopped at once ${cycles} times`,
  { timeout: 120_000 + cycles * 20_000 },
  async () => {
    const server = await startPostgres(found.kind === 'programs' ? found.directory : '')
    try {
      const acknowledged = new Acknowledged()
      const sessions = ['writer-0', 'writer-1', 'writer-2', 'writer-3']
      const count = cycles * 60
      const url = await makeOrdinaryDatabase(server.url, 'restarted')
      store.current.environment = { DATABASE_URL: url }
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
      const survivor = await openVerbatim(quietConfig(store.current.home, url))
      await using _survivor = survivor
      await survivor.saveMessages(caller, {
        sessionId: 'before',
        messages: [{ content: 'x', sender: 'a', role: 'user' }],
      })
      await expect.poll(async () => (await survivor.status(caller)).index.messages_behind, { timeout: 60_000 }).toBe(0)
      expect(await Promise.all(writers.map(({ exit }) => exit))).toEqual(writers.map(() => ({ code: 0, errors: '' })))
      await server.restart()
      await survivor.saveMessages(caller, {
        sessionId: 'after',
        messages: [{ content: 'y', sender: 'a', role: 'user' }],
      })
      await expect.poll(async () => (await survivor.status(caller)).index.messages_behind, { timeout: 60_000 }).toBe(0)
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
  `everything is indexed once when processes that save and index are killed ${cycles * 3} times`,
  { timeout: 120_000 + cycles * 30_000 },
  async () => {
    const database = await makeDatabase()
    try {
      const acknowledged = new Acknowledged()
      store.current.environment = { DATABASE_URL: database.url }
      const write = (session: string, from: number) =>
        store.current.startScript('save-messages.ts', [session, String(from), '1000000'], acknowledged.read)
      for (let cycle = 0; cycle < cycles; cycle++) {
        const from = cycle * 100_000
        const writers = ['a', 'b', 'c'].map((session) => write(session, from))
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
