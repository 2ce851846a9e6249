import type { Sql, TransactionSql } from 'postgres'
import { afterEach, describe, expect, test } from 'vitest'

import { TermHashers } from '../../src/indexing/terms/term-hashers.ts'
import { changeFact } from '../../src/insight/learning/change-fact.ts'
import { findAnew, findByPatterns } from '../../src/insight/learning/finders.ts'
import { LearnWorker } from '../../src/insight/learning/learn-worker.ts'
import { convertStore } from '../../src/keys/convert-store.ts'
import { hashSession } from '../../src/keys/hash-session.ts'
import { createLog } from '../../src/log.ts'
import { patternsNow } from '../../src/model/extractors.ts'
import type { Database } from '../../src/store/database.ts'
import { describeSession } from '../../src/store/imports/imported-sessions.ts'
import { decideState, planConversion } from '../../src/store/keys/conversion-work.ts'
import { archiveFactChange, deleteFact, holdFact } from '../../src/store/learning/change-facts.ts'
import { leaveToLearnAnew } from '../../src/store/learning/facts-anew.ts'
import { lockFacts, tryLockFacts } from '../../src/store/learning/lock-facts.ts'
import type { Queries } from '../../src/store/rows.ts'
import { inTransaction } from '../../src/store/transaction.ts'
import { addOutbox } from '../../src/store/work/add-work.ts'
import { learnTopic } from '../../src/store/work/outbox.ts'
import { isOnServer } from '../support/test-store.ts'
import { caller, useStore } from './store.ts'

const store = useStore({ VERBATIM_LEARNING: 'off', VERBATIM_ENCRYPTION: 'off', VERBATIM_ROOT_KEY: 'c9'.repeat(32) })
const { tenantId } = caller
const log = createLog('silent')
let worker: LearnWorker | undefined

afterEach(() => worker?.stop())

const stores = () => {
  const { database, archive } = store.open.stores
  return { database, archive, hashers: new TermHashers(database.vault), log }
}

async function learn(finder = findByPatterns(false), database: Database = store.open.stores.database): Promise<void> {
  worker = new LearnWorker({ ...stores(), database }, finder)
  worker.wake()
  const waiting = () => stores().database.run((sql) => sql`select from outbox where topic = ${finder.topic}`)
  await expect.poll(waiting, { timeout: 20_000, interval: 100 }).toHaveLength(0)
  await worker.stop()
}

/** A session with one message, which waits to be learned from. */
async function said(content: string): Promise<string> {
  const sessionId = await store.session([{ content, timestamp: '2026-01-01T00:00:00Z' }])
  await stores().database.run((sql) => addOutbox(sql, learnTopic, [{ tenantId, sessionId, firstSeq: 1, lastSeq: 1 }]))
  return sessionId
}

async function describedAs(sessionId: string, cwd: string): Promise<void> {
  const { database } = stores()
  const [row] = await database.run(
    (sql) => sql<{ source: string; external_id: string }[]>`
    select source, external_id from sessions where id = ${sessionId}`,
  )
  const about = { source: row?.source ?? '', externalId: row?.external_id ?? '' }
  await describeSession(database, tenantId, { ...about, metadata: JSON.stringify({ cwd }) })
}

const list = async (topic: string) =>
  (await store.open.learned(caller).list({ limit: 50 })).facts.filter(({ text }) => text.includes(topic))

/** A database that does something before it is asked for something the n-th time. */
function before(n: number, act: () => Promise<void>): Database {
  const { database } = stores()
  let asked = 0
  const run: Database['run'] = async (work) => {
    if (++asked === n) await act()
    return await database.run(work)
  }
  const { kind, vault } = database
  return { kind, vault, run, of: (viewer) => database.of(viewer), close: async () => undefined }
}

const convert = (target: 'encrypted' | 'plain') =>
  convertStore({ ...store.open.stores, log }, caller, {
    target,
    progress: { begin: async () => undefined, add: () => undefined },
    graceMs: 20,
  })

/** Has words hashed under a key from now on, as where a store begins to be encrypted. */
async function beginEncrypting(): Promise<void> {
  const { database } = stores()
  await convert('plain')
  await database.run((sql) => inTransaction(sql, (own) => decideState(own, tenantId, 'encrypted')))
  await database.vault.search.make(tenantId)
  await database.run((sql) => inTransaction(sql, (own) => planConversion(own, tenantId, 'encrypted')))
}

/** Hashes the words of a session anew; something comes in between when its facts were read, and before that is stored. */
async function hashed(sessionId: string, meanwhile: () => Promise<void>): Promise<void> {
  await hashSession({ ...stores(), database: before(3, meanwhile) }, { tenantId, sessionId })
}

describe('facts whose words are hashed under another key', () => {
  test('are known again by the project that their session came to be of meanwhile', async () => {
    const first = await said('We decided to use Kafka for the ledger.')
    await learn()
    await beginEncrypting()
    const second = await said('We decided to use Kafka for the ledger.')
    await describedAs(second, '/work/a')
    await learn()
    await hashed(first, async () => {
      await describedAs(first, '/work/a')
      await learn()
    })
    expect(await list('ledger')).toMatchObject([{ project: '/work/a', times: 2 }])
    await convert('encrypted')
    expect(await list('ledger')).toMatchObject([{ project: '/work/a', times: 2 }])
  })

  test('are known again by what an earlier version had found at their place, if this found something else there meanwhile', async () => {
    const { database } = stores()
    const first = await said('I prefer pnpm over npm.')
    const second = await said('I prefer pnpm over npm.')
    await learn()
    await beginEncrypting()
    // As an earlier version found it, which gives way.
    const body = Buffer.from(JSON.stringify({ text: 'I prefer something', subject: 'Ann' }))
    await database.run((sql) => sql`update facts set made_by = 'patterns', body = ${body} where session_id = ${first}`)
    await hashed(first, async () => {
      await database.run((sql) => leaveToLearnAnew(sql, tenantId, { madeBy: patternsNow, limit: 100 }))
      await learn(findAnew())
    })
    await hashed(second, async () => undefined)
    expect(await list('pnpm')).toMatchObject([{ times: 2 }])
  })

  test('are given up, and kept noted, where their session is another whenever they were read', async () => {
    const { database } = stores()
    const id = await said('We decided to use Kafka for the parcels.')
    await learn()
    await beginEncrypting()
    let times = 0
    const { kind, vault } = database
    const run: Database['run'] = async (work) => {
      times++
      const metadata = Buffer.from(JSON.stringify({ cwd: `/work/${times}` }))
      await database.run((sql) => sql`update sessions set metadata = ${metadata} where id = ${id}`)
      return await database.run(work)
    }
    const restless = { kind, vault, run, of: () => restless, close: async () => undefined }
    await expect(hashSession({ ...stores(), database: restless }, { tenantId, sessionId: id })).rejects.toMatchObject({
      name: 'ConflictError',
    })
    await convert('encrypted')
    expect(await list('parcels')).toMatchObject([{ times: 1 }])
  })

  test('do not come back that were deleted under the other one', async () => {
    const first = await said('I prefer tabs over spaces.')
    await learn()
    const [fact] = await list('tabs')
    await store.open.learned(caller).change({ id: fact?.id ?? '', action: 'delete' })
    await beginEncrypting()
    await said('I prefer tabs over spaces.')
    await learn()
    await hashed(first, async () => undefined)
    expect(await list('tabs')).toEqual([])
  })
})

/** Who waits for somebody else in the database. */
const waiting = (sql: Queries) =>
  sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`

describe.runIf(isOnServer)('a fact that somebody deletes while the same is learned of another session', () => {
  /** Another one's work, until it is over or waits for somebody. */
  async function begun(sql: Queries, work: Promise<unknown>): Promise<void> {
    let isOver = false
    void work.finally(() => (isOver = true))
    await expect.poll(async () => isOver || (await waiting(sql)).length > 0, { timeout: 20_000 }).toBe(true)
  }

  /** A database that does something before a transaction is committed. */
  function beforeCommit(act: () => Promise<void>): Database {
    const { database } = stores()
    const slow = (sql: Sql): Sql =>
      new Proxy(sql, {
        get(target, name): unknown {
          if (name !== 'begin') return Reflect.get(target, name)
          return (work: (own: TransactionSql) => Promise<unknown>) =>
            target.begin(async (own) => {
              const done = await work(own)
              await act()
              return done
            })
        },
      })
    const { kind, vault } = database
    const run: Database['run'] = (work) => database.run((sql) => work(slow(sql)))
    return { kind, vault, run, of: (viewer) => database.of(viewer), close: async () => undefined }
  }

  test('stays deleted where it is deleted first', async () => {
    const { database } = stores()
    await said('I prefer tea over coffee.')
    await learn()
    const [fact] = await list('coffee')
    const id = fact?.id ?? ''
    await said('I prefer tea over coffee.')
    const learning = await database.run((sql) =>
      inTransaction(sql, async (own) => {
        await holdFact(own, caller, id)
        const sessions = await deleteFact(own, caller, id)
        await archiveFactChange(own, tenantId, sessions)
        const work = learn()
        await begun(own, work)
        return { work }
      }),
    )
    await learning.work
    expect(await list('coffee')).toEqual([])
  })

  test('is deleted where it is learned first', async () => {
    const { database } = stores()
    await said('I prefer rye over wheat.')
    await learn()
    const [fact] = await list('rye')
    const id = fact?.id ?? ''
    await said('I prefer rye over wheat.')
    let deleting: Promise<unknown> | undefined
    const slow = beforeCommit(async () => {
      deleting ??= changeFact(stores(), caller, { id, action: 'delete' })
      await database.run((sql) => begun(sql, deleting ?? Promise.resolve()))
    })
    await learn(findByPatterns(false), slow)
    await deleting
    expect(await list('rye')).toEqual([])
  })
})

test.runIf(isOnServer)(
  'facts are put into their project beside others who learn, without one waiting for the other',
  async () => {
    const { database } = stores()
    const first = await store.session([{ content: 'I prefer oats over barley.', timestamp: '2026-01-01T00:00:00Z' }])
    const second = await said('We decided to use Redis for the cache.')
    await learn()
    await describedAs(second, '/work/cache')
    await database.run((sql) => addOutbox(sql, learnTopic, [{ tenantId, sessionId: first, firstSeq: 1, lastSeq: 1 }]))
    const isPutOff = (sql: Queries) => sql`select from outbox where session_id = ${second} and last_error is not null`
    const learning = await database.run((sql) =>
      inTransaction(sql, async (own) => {
        // As another replica that has just learned something, and comes to such facts next.
        await lockFacts(own, tenantId, 'shared')
        const work = learn()
        const stands = () =>
          database.run(async (other) => [(await isPutOff(other)).length, (await waiting(other)).length])
        await expect.poll(stands, { timeout: 20_000 }).not.toEqual([0, 0])
        expect(await stands()).toEqual([1, 0])
        expect(await tryLockFacts(own, tenantId)).toBe(true)
        return { work }
      }),
    )
    await learning.work
    expect(await list('oats')).toMatchObject([{ times: 1 }])
    expect(await list('cache')).toMatchObject([{ project: '/work/cache' }])
  },
)
