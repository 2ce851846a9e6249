import { EventEmitter, once } from 'node:events'

import { expect, it } from 'vitest'

import { eraseOutside } from '../../src/erasure/erase-outside.ts'
import { workOffErasure } from '../../src/erasure/run-erasure.ts'
import { UnavailableError } from '../../src/errors.ts'
import type { ArchiveStore, ErasedObjects } from '../../src/ports/archive-store.ts'
import { claimErasure, type ErasureItem } from '../../src/store/erasure/erasure-work.ts'
import { caller, useStore } from '../sessions/store.ts'
import { claimed, goOn, instead, workUntilStopped } from './claimed.ts'

const store = useStore({ VERBATIM_ENCRYPTION: 'off' })
const index = undefined

/** Of an archive, one that stops before it erases what is below a session, as often as it is asked, until `goOn` is called. */
function stoppingAtSession(archive: ArchiveStore, when: 'before it is listed' | 'when it was listed') {
  const events = new EventEmitter()
  const stopped = once(events, 'stopped')
  const released = once(events, 'released')
  const stop = async () => {
    events.emit('stopped')
    await released
  }
  const stopping = instead(archive, {
    erase: async (name, notes, signal): Promise<ErasedObjects> => {
      if (!name.startsWith(`${caller.tenantId}/`) || notes === undefined)
        return await archive.erase(name, notes, signal)
      if (when === 'before it is listed') await stop()
      const before = async (names: readonly string[]) => {
        if (when === 'when it was listed') await stop()
        await notes.before(names)
      }
      return await archive.erase(name, { ...notes, before }, signal)
    },
  })
  return { archive: stopping, stopped, goOn: () => events.emit('released') }
}

/** The work of erasing a session that the archive has objects of, which nobody else takes, and how many objects these are. */
async function archived(content: string): Promise<{ readonly item: ErasureItem; readonly objects: number }> {
  const { archive } = store.open.stores
  const item = await claimed(store, content)
  // As its archive was: what is put below it is erased with it.
  for (const name of ['1.vseg', '2.vseg', '3.vseg'])
    await archive.put(`${caller.tenantId}/${item.sessionId}/${name}`, Buffer.from(name))
  return { item, objects: 3 }
}

async function dueMs(erasureId: string): Promise<number> {
  const [row] = await store.open.stores.database.run(
    (sql) => sql<{ ms: number }[]>`
    select extract(epoch from available_at)::float8 * 1000 as ms from outbox where details->>'erasure' = ${erasureId}`,
  )
  return row?.ms ?? 0
}

it('an erasure counts every object once that somebody else has counted who has taken the work over', async () => {
  const { database, archive } = store.open.stores
  const { item, objects } = await archived(`taken over ${'y'.repeat(1_100_000)}`)
  const slow = stoppingAtSession(archive, 'when it was listed')
  const erasing = eraseOutside({ database, archive: slow.archive, index }, item).catch((error: unknown) => error)
  await slow.stopped
  // It was not heard of for too long. Who takes it then erases the objects, and gets no further.
  const partly = instead(archive, {
    list: async function* list(prefix) {
      if (prefix.startsWith('payloads/')) throw new UnavailableError('Cannot list the archive', { remedy: 'Wait' })
      yield* archive.list(prefix)
    },
  })
  await database.run((sql) => sql`update outbox set available_at = now() where id = ${item.id}`)
  await workOffErasure({ database, archive: partly, index }, item.details.erasure)
  slow.goOn()
  expect(String(await erasing)).toContain('TakenOver')
  expect(await goOn(store, item)).toMatchObject({
    erased: { messages: 1, archive_objects: objects, large_payloads: 1 },
    pending: [],
  })
})

it('an erasure stays with whoever is at it as long as an archive takes to answer', { timeout: 60_000 }, async () => {
  const { database, archive } = store.open.stores
  const slow = stoppingAtSession(archive, 'before it is listed')
  const { work, working } = await workUntilStopped(store, `slow ${'y'.repeat(1_100_000)}`, slow)
  const { erasure } = work.details
  const first = await dueMs(erasure)
  await expect.poll(() => dueMs(erasure), { timeout: 30_000 }).toBeGreaterThan(first)
  expect(await database.run((sql) => claimErasure(sql, erasure))).toBeUndefined()
  slow.goOn()
  expect(await working).toBe(true)
  expect(await goOn(store, work)).toMatchObject({ erased: { messages: 1, large_payloads: 1 }, pending: [] })
})

it('what fails for who has lost the work does not put it off for who has it', async () => {
  const { database, archive } = store.open.stores
  const slow = stoppingAtSession(archive, 'before it is listed')
  const failing = instead(slow.archive, {
    erase: async (name, notes, signal) => {
      await slow.archive.erase(name, notes, signal)
      throw new UnavailableError('Cannot erase from the archive', { remedy: 'Wait' })
    },
  })
  const stopped = { archive: failing, stopped: slow.stopped }
  const { work, working } = await workUntilStopped(store, `failed ${'y'.repeat(1_100_000)}`, stopped)
  const { erasure } = work.details
  // As somebody else takes it, whom the background work does not come before.
  await database.run(
    (sql) => sql`
    update outbox set details = jsonb_set(details, '{claim}', to_jsonb((details->>'claim')::int + 1))
    where details->>'erasure' = ${erasure}`,
  )
  slow.goOn()
  expect(await working).toBe(true)
  expect(
    await database.run((sql) => sql`select last_error from outbox where details->>'erasure' = ${erasure}`),
  ).toEqual([{ last_error: null }])
  expect(await goOn(store, work)).toMatchObject({ erased: { messages: 1, large_payloads: 1 }, pending: [] })
})
