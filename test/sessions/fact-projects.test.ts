import { readFileSync } from 'node:fs'

import { afterEach, describe, expect, test } from 'vitest'

import { TermHashers } from '../../src/indexing/terms/term-hashers.ts'
import { changeFact } from '../../src/insight/learning/change-fact.ts'
import { findByPatterns } from '../../src/insight/learning/finders.ts'
import { LearnWorker } from '../../src/insight/learning/learn-worker.ts'
import { createLog } from '../../src/log.ts'
import { describeSession } from '../../src/store/imports/imported-sessions.ts'
import { addOutbox } from '../../src/store/work/add-work.ts'
import { learnTopic } from '../../src/store/work/outbox.ts'
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

  test.each([
    ['in both', true],
    ['in the one that has a project, and in the other', false],
  ])('hold as they were corrected by hand before that %s', async (_, isSecondPlaced) => {
    const topic = isSecondPlaced ? 'metrics' : 'traces'
    const first = await said(`We decided to use Graphite for the ${topic}.`, '2026-01-01T00:00:00Z')
    const second = await said(`We decided to use Graphite for the ${topic}.`, '2026-01-02T00:00:00Z')
    const learned = store.open.learned(caller)
    for (const text of [`The ${topic} are kept in Prometheus`, `The ${topic} are kept in Mimir`]) {
      const [known, ...others] = (await learned.list({ limit: 50 })).facts.filter((fact) => fact.text.includes(topic))
      expect(others).toEqual([])
      await learned.change({ id: known?.id ?? '', action: 'correct', text })
    }
    const [corrected] = (await learned.list({ limit: 50 })).facts.filter(({ text }) => text.includes(topic))
    const its = corrected?.sources[0]?.session_id
    const other = its === first ? second : first
    await describedAs(its ?? '', '/work/a')
    if (isSecondPlaced) await describedAs(other, '/work/b')
    await learn()
    await learn()
    expect(await holding(topic)).toEqual([
      `The ${topic} are kept in Mimir (/work/a)`,
      `The ${topic} are kept in Mimir (${isSecondPlaced ? '/work/b' : 'undefined'})`,
    ])
    const { facts } = await learned.list({ limit: 50, session: other })
    const [copied] = facts.filter(({ text }) => text.includes(topic))
    expect(copied?.sources.map((source) => source.session_id)).toEqual([other])
    expect(copied).toMatchObject({ made_by: 'client', confidence: 1 })
    // Once it is placed nothing is left to do, and nothing is copied twice.
    if (!isSecondPlaced) await describedAs(other, '/work/b')
    await learn()
    expect(await holding(topic)).toHaveLength(2)
  })

  test('are not corrected by hand as of the project that it was before', async () => {
    const { database } = store.open.stores
    const session = await said('We decided to use Consul for the discovery.', '2026-01-01T00:00:00Z')
    const learned = store.open.learned(caller)
    const [fact] = (await learned.list({ limit: 1, session })).facts
    const change = { id: fact?.id ?? '', action: 'correct', text: 'We use etcd for the discovery' } as const
    /** Before anything is written a source says of what project the session is. */
    class Described extends TermHashers {
      override async written(tenantId: number) {
        await describedAs(session, '/work/a')
        return await super.written(tenantId)
      }
    }
    const hashers = new Described(database.vault)
    await expect(changeFact({ database, hashers }, caller, change)).rejects.toThrow(/its session, .* changed meanwhile/)
    await learned.change(change)
    // The same is decided there again: were the correction of no project, it would stand beside it.
    const again = await said('We decided to use Consul for the discovery.', '2026-01-03T00:00:00Z')
    await describedAs(again, '/work/a')
    await learn()
    expect(await holding('discovery')).toEqual(['We use etcd for the discovery (/work/a)'])
  })
})
