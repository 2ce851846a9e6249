import { readFileSync } from 'node:fs'

import { afterEach, describe, expect, test } from 'vitest'

import { TermHashers } from '../../src/indexing/term-hashers.ts'
import { findByPatterns } from '../../src/insight/learning/finders.ts'
import { LearnWorker } from '../../src/insight/learning/learn-worker.ts'
import { createLog } from '../../src/log.ts'
import { describeSession } from '../../src/store/imported-sessions.ts'
import { addOutbox, learnTopic } from '../../src/store/outbox.ts'
import { caller, useStore } from './store.ts'

const store = useStore({ VERBATIM_LEARNING: 'off' })
let worker: LearnWorker | undefined

afterEach(() => worker?.stop())

/** Has what waits be learned from by patterns. */
async function learn(isForModel = false): Promise<void> {
  const { database, archive } = store.open.stores
  const stores = { database, archive, hashers: new TermHashers(database.vault), log: createLog('silent') }
  worker = new LearnWorker(stores, findByPatterns(isForModel))
  worker.wake()
  const waiting = () => database.run((sql) => sql`select from outbox where topic = ${learnTopic}`)
  await expect.poll(waiting, { timeout: 20_000, interval: 100 }).toHaveLength(0)
  await worker.stop()
}

/** A session with one message, from which is learned before anything else is known of it. */
async function said(content: string, timestamp: string): Promise<string> {
  const sessionId = await store.session([{ content, timestamp }])
  await store.open.stores.database.run((sql) =>
    addOutbox(sql, learnTopic, [{ tenantId: 1, sessionId, firstSeq: 1, lastSeq: 1 }]),
  )
  await learn()
  return sessionId
}

async function describedAs(sessionId: string, cwd: string): Promise<void> {
  const { database } = store.open.stores
  const [row] = await database.run(
    (sql) => sql<{ source: string; external_id: string }[]>`
    select source, external_id from sessions where id = ${sessionId}`,
  )
  const { source = '', external_id: externalId = '' } = row ?? {}
  expect(await describeSession(database, 1, { source, externalId, metadata: JSON.stringify({ cwd }) })).toBe(true)
}

const holding = async (topic: string) =>
  (await store.open.learned(caller).list({ limit: 50 })).facts
    .filter(({ text }) => text.includes(topic))
    .map(({ text, project }) => `${text} (${project})`)
    .toSorted()

describe('facts of a session whose project is known later', () => {
  test('are put into it, and hold again beside what is of another', async () => {
    const first = await said('We decided to use Kafka for the ledger.', '2026-01-01T00:00:00Z')
    const second = await said('We decided to use NATS for the ledger.', '2026-01-02T00:00:00Z')
    expect(await holding('ledger')).toEqual(['We decided to use NATS for the ledger (undefined)'])
    await describedAs(first, '/work/a')
    await describedAs(second, '/work/b')
    await learn()
    expect(await holding('ledger')).toEqual([
      'We decided to use Kafka for the ledger (/work/a)',
      'We decided to use NATS for the ledger (/work/b)',
    ])
  })

  test('are put into it without their messages being left to a model again', async () => {
    const { database } = store.open.stores
    const session = await said('We decided to use Vault for the passwords.', '2026-01-03T00:00:00Z')
    await describedAs(session, '/work/a')
    await learn(true)
    expect(await holding('passwords')).toEqual(['We decided to use Vault for the passwords (/work/a)'])
    const left = () =>
      database.run((sql) => sql`select topic from outbox where session_id = ${session} and topic = 'learn_by_model'`)
    expect(await left()).toEqual([])
    await database.run((sql) =>
      addOutbox(sql, learnTopic, [{ tenantId: 1, sessionId: session, firstSeq: 1, lastSeq: 1 }]),
    )
    await learn(true)
    expect(await left()).toEqual([{ topic: 'learn_by_model' }])
  })

  test('are put into it where they were learned by a version that knew no projects, deleted ones too', async () => {
    const first = await said('We decided to use Ansible for the servers.', '2026-01-01T00:00:00Z')
    const second = await said('We decided to use Puppet for the servers.', '2026-01-02T00:00:00Z')
    const { database } = store.open.stores
    const [puppet] = (await store.open.learned(caller).list({ session: second, limit: 1 })).facts
    await store.open.learned(caller).change({ id: puppet?.id ?? '', action: 'delete' })
    await describedAs(first, '/work/a')
    await describedAs(second, '/work/b')
    // As a store of that version is: sessions have their directories, and facts do not know it.
    await database.run((sql) => sql`delete from outbox where topic = ${learnTopic}`)
    const migration = readFileSync('drizzle/0027_fact_projects.sql', 'utf8')
    await database.run((sql) => sql.unsafe(migration))
    await learn()
    const again = await said('We decided to use Puppet for the servers.', '2026-01-03T00:00:00Z')
    await describedAs(again, '/work/b')
    await learn()
    expect(await holding('servers')).toEqual(['We decided to use Ansible for the servers (/work/a)'])
  })
})
