import { EventEmitter, once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

import { describe, expect, it } from 'vitest'

import { saveMessages } from '../../src/capture/save.ts'
import { verify } from '../../src/capture/verify.ts'
import { eraseOutside } from '../../src/erasure/erase-outside.ts'
import { eraseRows } from '../../src/erasure/erase-rows.ts'
import { forget } from '../../src/erasure/forget.ts'
import { workOffErasure } from '../../src/erasure/run-erasure.ts'
import { Caches } from '../../src/model/caches.ts'
import type { ArchiveStore, ErasedObjects } from '../../src/ports/archive-store.ts'
import { claimErasure, type ErasureItem } from '../../src/store/erasure/erasure-work.ts'
import { readReceipts } from '../../src/store/erasure/receipts.ts'
import { caller, contentsOf, useStore } from '../sessions/store.ts'
import { Killed } from '../support/mortal-stores.ts'

// Not encrypted: the same bytes of two sessions are one object.
const store = useStore({ VERBATIM_ENCRYPTION: 'off' })
const sessionIds = new Caches(1_000_000).open<string>('session_ids', { sizeOf: () => 1 })

/** Of an archive, one that does something else where a large payload is erased. */
function erasingPayloads(archive: ArchiveStore, erase: (location: string) => Promise<ErasedObjects>): ArchiveStore {
  return {
    put: (key, bytes) => archive.put(key, bytes),
    get: (key) => archive.get(key),
    delete: (key) => archive.delete(key),
    erase: async (name, notes) => (name.startsWith('payloads/') ? await erase(name) : await archive.erase(name, notes)),
    list: (prefix) => archive.list(prefix),
    check: () => archive.check(),
  }
}

/** A session with one large message, and the work of erasing it, which nobody else takes. */
async function claimed(content: string): Promise<ErasureItem> {
  const { database, archive } = store.open.stores
  const dependencies = { database, archive, index: undefined, visible: database, waitMs: 0 }
  // The background work may take one.
  for (let attempt = 1; attempt <= 10; attempt++) {
    const sessionId = await store.session([{ content }])
    const preview = await forget(dependencies, caller, { sessionId })
    if (preview.status !== 'preview') throw new Error('no preview')
    const receipt = await forget(dependencies, caller, { sessionId, confirm: preview.confirm })
    if (receipt.status === 'preview') throw new Error('no receipt')
    const item = await database.run((sql) => claimErasure(sql, receipt.erasure_id))
    const withoutRows = item === undefined ? undefined : await eraseRows(database, item)
    if (withoutRows !== undefined) return withoutRows
  }
  throw new Error('another one has taken the work each time')
}

async function saveTwin(content: string): Promise<string> {
  const { database, archive } = store.open.stores
  const messages = [{ content, sender: 'Ben', role: 'user' }] as const
  const { sessionId } = await saveMessages({ database, archive, sessionIds }, caller, { messages })
  return sessionId
}

/** Does what is left of an erasure, and gives its receipt. */
async function goOn({ details: { erasure: id } }: ErasureItem): Promise<unknown> {
  const { database, archive } = store.open.stores
  await database.run((sql) => sql`update outbox set available_at = now() where topic = 'erase'`)
  const read = async () => {
    const [receipt] = await database.run((sql) => readReceipts(sql, caller.tenantId, { id, limit: 1 }))
    return receipt
  }
  await workOffErasure({ database, archive, index: undefined }, id)
  await expect.poll(async () => (await read())?.completed_at ?? null, { timeout: 30_000 }).not.toBeNull()
  return await read()
}

it.each([
  { when: 'before', erases: false },
  { when: 'after', erases: true },
])('a large message is not lost that is saved while its twin is erased by who is killed $when it goes', async (at) => {
  const { database, archive } = store.open.stores
  const content = `${at.when} ${'y'.repeat(1_100_000)}`
  const item = await claimed(content)
  let saving: Promise<string> | undefined
  const dying = erasingPayloads(archive, async (location) => {
    // It was looked who uses it, and nobody did.
    saving = saveTwin(content)
    await Promise.race([saving, sleep(300)])
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
  expect(await goOn(item)).toMatchObject({ erased: { messages: 1, large_payloads: 0 }, pending: [] })
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
    const [one, other] = [await claimed(content), await claimed(content)]
    const second = stoppingAtPayload(archive)
    const erasing = eraseOutside({ database, archive: second.archive, index }, other)
    await second.found
    await eraseOutside({ database, archive, index }, one)
    second.goOn()
    await erasing
    expect(await goOn(one)).toMatchObject({ erased: { messages: 1, large_payloads: 1 }, pending: [] })
    expect(await goOn(other)).toMatchObject({ erased: { messages: 1, large_payloads: 0 }, pending: [] })
  })

  it.each([
    { dies: 'before it goes', erases: [false], counts: [0, 1] },
    { dies: 'after it has gone', erases: [true], counts: [1, 0] },
    { dies: 'before it goes, and the other one after that', erases: [false, true], counts: [1, 0] },
  ])('where the one that has noted it is killed $dies', async ({ erases, counts }) => {
    const { database, archive } = store.open.stores
    const content = `${erases.join(' ')} ${'y'.repeat(1_100_000)}`
    const items = [await claimed(content), await claimed(content)]
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
    for (const item of items) receipts.push(await goOn(item))
    expect(receipts).toMatchObject(counts.map((count) => ({ erased: { large_payloads: count }, pending: [] })))
  })
})

it('a large payload that nobody else has is counted once, although who erased it was killed before it was counted', async () => {
  const { database, archive } = store.open.stores
  const item = await claimed(`alone ${'y'.repeat(1_100_000)}`)
  const dying = erasingPayloads(archive, async (location) => {
    await archive.erase(location)
    throw new Killed()
  })
  await expect(eraseOutside({ database, archive: dying, index: undefined }, item)).rejects.toThrow(Killed)
  expect(await goOn(item)).toMatchObject({ erased: { messages: 1, large_payloads: 1 }, pending: [] })
})
