import { EventEmitter, once } from 'node:events'

import postgres from 'postgres'
import { describe, expect, it } from 'vitest'

import { saveMessages } from '../../src/capture/save.ts'
import { verify } from '../../src/capture/verify.ts'
import { eraseOutside } from '../../src/erasure/erase-outside.ts'
import { Caches } from '../../src/model/caches.ts'
import type { ArchiveStore } from '../../src/ports/archive-store.ts'
import type { ErasureItem } from '../../src/store/erasure/erasure-work.ts'
import { caller, contentsOf, useStore } from '../sessions/store.ts'
import { Killed } from '../support/mortal-stores.ts'
import { claimed, erasingPayloads, goOn } from './claimed.ts'

// Not encrypted: the same bytes of two sessions are one object.
const store = useStore({ VERBATIM_ENCRYPTION: 'off' })
const sessionIds = new Caches(1_000_000).open<string>('session_ids', { sizeOf: () => 1 })

/** `onPut` is told when the bytes are in the archive, and before the messages are in the database. */
async function saveTwin(content: string, onPut: () => void): Promise<string> {
  const { database, archive: real } = store.open.stores
  const archive: ArchiveStore = {
    ...erasingPayloads(real, (location) => real.erase(location)),
    put: async (key, bytes) => {
      await real.put(key, bytes)
      onPut()
    },
  }
  const messages = [{ content, sender: 'Ben', role: 'user' }] as const
  const { sessionId } = await saveMessages({ database, archive, sessionIds }, caller, { messages })
  return sessionId
}

/**
 * Waits until a save waits for a payload that another transaction has locked. An embedded store runs one transaction after the other: there it
 * waits for the whole of the database.
 */
async function untilLockedOut(): Promise<void> {
  if (store.databaseUrl === undefined) return
  const sql = postgres(store.databaseUrl, { max: 1, onnotice: () => undefined })
  try {
    const waiting = async () =>
      (
        await sql`select from pg_locks l join pg_database d on d.oid = l.database
          where l.locktype = 'advisory' and l.mode = 'ShareLock' and not l.granted and d.datname = current_database()`
      ).length
    await expect.poll(waiting, { timeout: 30_000 }).toBe(1)
  } finally {
    await sql.end()
  }
}

it.each([
  { when: 'before', erases: false },
  { when: 'after', erases: true },
])('a large message is not lost that is saved while its twin is erased by who is killed $when it goes', async (at) => {
  const { database, archive } = store.open.stores
  const content = `${at.when} ${'y'.repeat(1_100_000)}`
  const item = await claimed(store, content)
  let saving: Promise<string> | undefined
  const dying = erasingPayloads(archive, async (location) => {
    // It was looked who uses it, and nobody did.
    const events = new EventEmitter()
    const isPut = once(events, 'put')
    saving = saveTwin(content, () => events.emit('put'))
    await isPut
    await untilLockedOut()
    if (at.erases) await archive.erase(location)
    throw new Killed()
  })
  await expect(eraseOutside({ database, archive: dying, index: undefined }, item)).rejects.toThrow(Killed)
  const twin = await saving
  if (twin === undefined) throw new Error('the payload was not erased')
  const isWhole = async () => {
    expect(contentsOf(await store.pages(twin, { maxTokens: 25_000 })).get(1)).toBe(JSON.stringify(content))
    expect((await verify(store.open.stores, caller, () => undefined)).problems).toEqual([])
  }
  await isWhole()
  // It is the twin's by then.
  expect(await goOn(store, item)).toMatchObject({ erased: { messages: 1, large_payloads: 0 }, pending: [] })
  await isWhole()
})

/** Of an archive, one that stops where a payload was looked for and found, until `goOn` is called. */
function stoppingAtPayload(archive: ArchiveStore) {
  const events = new EventEmitter()
  const found = once(events, 'found')
  const released = once(events, 'released')
  const stopping: ArchiveStore = {
    ...erasingPayloads(archive, (location) => archive.erase(location)),
    list: async function* list(prefix) {
      const names: string[] = []
      for await (const name of archive.list(prefix)) names.push(name)
      if (prefix.startsWith('payloads/') && names.length > 0) {
        events.emit('found')
        await released
      }
      yield* names
    },
  }
  return { archive: stopping, found, goOn: () => events.emit('released') }
}

describe('a large payload that two sessions have which are erased at once is counted once', () => {
  const index = undefined

  it('where both have found it before either erases it', async () => {
    const { database, archive } = store.open.stores
    const content = `both found it ${'y'.repeat(1_100_000)}`
    const [one, other] = [await claimed(store, content), await claimed(store, content)]
    const second = stoppingAtPayload(archive)
    const erasing = eraseOutside({ database, archive: second.archive, index }, other)
    await second.found
    await eraseOutside({ database, archive, index }, one)
    second.goOn()
    await erasing
    expect(await goOn(store, one)).toMatchObject({ erased: { messages: 1, large_payloads: 1 }, pending: [] })
    expect(await goOn(store, other)).toMatchObject({ erased: { messages: 1, large_payloads: 0 }, pending: [] })
  })

  it.each([
    { dies: 'before it goes', erases: [false], counts: [0, 1] },
    { dies: 'after it has gone', erases: [true], counts: [1, 0] },
    { dies: 'before it goes, and the other one after that', erases: [false, true], counts: [1, 0] },
  ])('where the one that has noted it is killed $dies', async ({ erases, counts }) => {
    const { database, archive } = store.open.stores
    const content = `${erases.join(' ')} ${'y'.repeat(1_100_000)}`
    const items = [await claimed(store, content), await claimed(store, content)]
    const killed: ErasureItem[] = []
    for (const [at, item] of items.entries()) {
      const mayDie = erasingPayloads(archive, async (location) => {
        if (erases[at] === false) throw new Killed()
        const erased = await archive.erase(location)
        if (erases[at] === true) throw new Killed()
        return erased
      })
      await eraseOutside({ database, archive: mayDie, index }, item).catch((error: unknown) => {
        if (!(error instanceof Killed)) throw error
        killed.push(item)
      })
    }
    expect(killed).toEqual(items.slice(0, erases.length))
    const receipts: unknown[] = []
    for (const item of items) receipts.push(await goOn(store, item))
    expect(receipts).toMatchObject(counts.map((count) => ({ erased: { large_payloads: count }, pending: [] })))
  })
})

it('a large payload that nobody else has is counted once, although who erased it was killed before it was counted', async () => {
  const { database, archive } = store.open.stores
  const item = await claimed(store, `alone ${'y'.repeat(1_100_000)}`)
  const dying = erasingPayloads(archive, async (location) => {
    await archive.erase(location)
    throw new Killed()
  })
  await expect(eraseOutside({ database, archive: dying, index: undefined }, item)).rejects.toThrow(Killed)
  expect(await goOn(store, item)).toMatchObject({ erased: { messages: 1, large_payloads: 1 }, pending: [] })
})
