import { afterEach, describe, expect, test } from 'vitest'

import { TermHashers } from '../../src/indexing/terms/term-hashers.ts'
import type { FactFinder } from '../../src/insight/learning/fact-finder.ts'
import { findAnew, findByPatterns } from '../../src/insight/learning/finders.ts'
import { LearnWorker } from '../../src/insight/learning/learn-worker.ts'
import { createLog } from '../../src/log.ts'
import { patternsNow } from '../../src/model/extractors.ts'
import { leaveToLearnAnew } from '../../src/store/learning/facts-anew.ts'
import { addOutbox } from '../../src/store/work/add-work.ts'
import { learnTopic } from '../../src/store/work/outbox.ts'
import { messagesOf, useStore } from './store.ts'

const store = useStore({ VERBATIM_LEARNING: 'off' })
let worker: LearnWorker | undefined

afterEach(() => worker?.stop())

/** Has what waits be read by a finder. */
async function learn(finder: FactFinder): Promise<void> {
  const { database, archive } = store.open.stores
  const stores = { database, archive, hashers: new TermHashers(database.vault), log: createLog('silent') }
  worker = new LearnWorker(stores, finder)
  worker.wake()
  const waiting = () => database.run((sql) => sql`select from outbox where topic = ${finder.topic} and dead_at is null`)
  await expect.poll(waiting, { timeout: 20_000, interval: 100 }).toHaveLength(0)
  await worker.stop()
}

/** A session from which was learned, whose facts are of another version then. */
async function learned(contents: readonly string[], madeBy: string): Promise<string> {
  const { database } = store.open.stores
  const sessionId = await store.session(contents.map((content) => ({ content })))
  await toBeLearned(sessionId, contents.length)
  await learn(findByPatterns(false))
  await database.run((sql) => sql`update facts set made_by = ${madeBy} where session_id = ${sessionId}`)
  return sessionId
}

const toBeLearned = (sessionId: string, lastSeq: number) =>
  store.open.stores.database.run((sql) =>
    addOutbox(sql, learnTopic, [{ tenantId: 1, sessionId, firstSeq: 1, lastSeq }]),
  )

const leave = (madeBy: string) =>
  store.open.stores.database.run((sql) => leaveToLearnAnew(sql, 1, { madeBy, limit: 100 }))

async function makers(sessionId: string): Promise<string[]> {
  const rows = await store.open.stores.database.run(
    (sql) => sql<{ by: string; id: string }[]>`select made_by as by from facts where session_id = ${sessionId}`,
  )
  return rows.map(({ by }) => by)
}

describe('facts of an earlier version', () => {
  test('stay where their message is damaged, and are not looked for again', async () => {
    const sessionId = await learned(['I live in Porto.', 'I prefer pnpm over npm.'], 'patterns')
    const [first] = messagesOf(await store.pages(sessionId, { maxTokens: 8_000 }))
    await store.damage(first?.id ?? '')
    expect(await leave(patternsNow)).toBe(1)
    // It waits already.
    expect(await leave(patternsNow)).toBe(0)
    await learn(findAnew())
    expect(await makers(sessionId)).toEqual([patternsNow, patternsNow])
    expect(await leave(patternsNow)).toBe(0)
  })

  test('are left by the version that failed at them for good, and tried by another', async () => {
    const sessionId = await learned(['I live in Lisbon.'], 'patterns')
    expect(await leave(patternsNow)).toBe(1)
    const { database } = store.open.stores
    await database.run((sql) => sql`update outbox set attempts = 4 where session_id = ${sessionId}`)
    await learn({ ...findAnew(), find: () => Promise.reject(new Error('it is not to be read')) })
    expect(await makers(sessionId)).toEqual(['patterns'])
    expect(await leave(patternsNow)).toBe(0)
    expect(await leave('patterns/99')).toBe(1)
    await learn(findAnew())
    expect(await makers(sessionId)).toEqual([patternsNow])
  })

  test('are none of a later version, which serves the same store', async () => {
    const sessionId = await learned(['I live in Faro.'], 'patterns/99')
    expect(await leave(patternsNow)).toBe(0)
    await toBeLearned(sessionId, 1)
    await learn(findByPatterns(false))
    expect(await makers(sessionId)).toEqual(['patterns/99'])
  })
})
