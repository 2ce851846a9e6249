import { setTimeout as sleep } from 'node:timers/promises'

import { expect, it } from 'vitest'

import { saveMessages } from '../../src/capture/save.ts'
import { verify } from '../../src/capture/verify.ts'
import { eraseOutside } from '../../src/erasure/erase-outside.ts'
import { eraseRows } from '../../src/erasure/erase-rows.ts'
import { forget } from '../../src/erasure/forget.ts'
import { workOffErasure } from '../../src/erasure/run-erasure.ts'
import { Caches } from '../../src/model/caches.ts'
import type { ArchiveStore } from '../../src/ports/archive-store.ts'
import { claimErasure, type ErasureItem } from '../../src/store/erasure/erasure-work.ts'
import { readReceipts } from '../../src/store/erasure/receipts.ts'
import { caller, contentsOf, useStore } from '../sessions/store.ts'
import { Killed } from '../support/mortal-stores.ts'

// Not encrypted: the same bytes of two sessions are one object.
const store = useStore({ VERBATIM_ENCRYPTION: 'off' })
const sessionIds = new Caches(1_000_000).open<string>('session_ids', { sizeOf: () => 1 })

/** Of an archive, one that does something else where a large payload is erased. */
function erasingPayloads(archive: ArchiveStore, erase: (location: string) => Promise<never>): ArchiveStore {
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
  const sessionId = await store.session([{ content }])
  const dependencies = { database, archive, index: undefined, visible: database, waitMs: 0 }
  const preview = await forget(dependencies, caller, { sessionId })
  if (preview.status !== 'preview') throw new Error('no preview')
  const receipt = await forget(dependencies, caller, { sessionId, confirm: preview.confirm })
  if (receipt.status === 'preview') throw new Error('no receipt')
  const item = await database.run((sql) => claimErasure(sql, receipt.erasure_id))
  const withoutRows = item === undefined ? undefined : await eraseRows(database, item)
  if (withoutRows === undefined) throw new Error('another one has taken the work')
  return withoutRows
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
