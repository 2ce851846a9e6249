import { expect, it } from 'vitest'

import { ArchiveQueue } from '../../src/indexing/archive-queue.ts'
import { archiveTopic, queueArchive } from '../../src/store/archive/archive-queue.ts'
import { caller, useStore } from '../sessions/store.ts'

const store = useStore()
const { tenantId } = caller

it('leaves a session to be archived again once what waited of it may be under way', { timeout: 60_000 }, async () => {
  const { database } = store.open.stores
  const saved = [{ tenantId, sessionId: await store.session([{ content: 'A coot.' }]) }]
  const pending = () =>
    database.run(
      (sql) => sql`
      select 1 from outbox where topic = ${archiveTopic} and session_id = ${saved[0]?.sessionId ?? null} and available_at > now()`,
    )
  // What the store has left itself is not what is looked at.
  await expect.poll(pending, { timeout: 30_000 }).not.toEqual([])
  await database.run((sql) => sql`delete from outbox where topic = ${archiveTopic}`)
  const queue = new ArchiveQueue(600_000)
  await database.run(async (sql) => {
    await queueArchive(sql, saved, 1_000)
    queue.queued(await queue.add(sql, saved))
  })
  // It has come up and was archived, and then more is saved.
  await expect.poll(pending, { timeout: 20_000 }).toEqual([])
  await database.run((sql) => sql`delete from outbox where topic = ${archiveTopic}`)
  await expect.poll(() => queue.notQueued(saved), { timeout: 5_000 }).toEqual(saved)
  await database.run(async (sql) => queue.queued(await queue.add(sql, saved)))
  expect(await pending()).toHaveLength(1)
  expect(queue.notQueued(saved)).toEqual([])
})
