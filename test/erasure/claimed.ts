import { expect } from 'vitest'

import { eraseRows } from '../../src/erasure/erase-rows.ts'
import { forget } from '../../src/erasure/forget.ts'
import { workOffErasure } from '../../src/erasure/run-erasure.ts'
import type { ArchiveStore, ErasedObjects } from '../../src/ports/archive-store.ts'
import { claimErasure, type ErasureItem } from '../../src/store/erasure/erasure-work.ts'
import { readReceipts } from '../../src/store/erasure/receipts.ts'
import { caller, type Store } from '../sessions/store.ts'

/** An archive that does some things otherwise. */
export function instead(archive: ArchiveStore, change: Partial<ArchiveStore>): ArchiveStore {
  return {
    put: (key, bytes) => archive.put(key, bytes),
    get: (key) => archive.get(key),
    delete: (key) => archive.delete(key),
    erase: (name, notes, signal) => archive.erase(name, notes, signal),
    list: (prefix) => archive.list(prefix),
    check: () => archive.check(),
    ...change,
  }
}

/** Of an archive, one that does something else where a large payload is erased. */
export function erasingPayloads(
  archive: ArchiveStore,
  erase: (location: string, signal: AbortSignal | undefined) => Promise<ErasedObjects>,
): ArchiveStore {
  return instead(archive, {
    erase: async (name, notes, signal) =>
      name.startsWith('payloads/') ? await erase(name, signal) : await archive.erase(name, notes, signal),
  })
}

/** A session with one large message that is to be erased: the number of that erasure. Nobody is at it yet, but the background work may be. */
async function begun(store: Store, content: string): Promise<string> {
  const { database, archive } = store.open.stores
  const dependencies = { database, archive, index: undefined, visible: database, waitMs: 0 }
  const sessionId = await store.session([{ content }])
  const preview = await forget(dependencies, caller, { sessionId })
  if (preview.status !== 'preview') throw new Error('no preview')
  const receipt = await forget(dependencies, caller, { sessionId, confirm: preview.confirm })
  if (receipt.status === 'preview') throw new Error('no receipt')
  return receipt.erasure_id
}

/** The work of an erasure that has begun. */
interface Begun {
  readonly details: Pick<ErasureItem['details'], 'erasure'>
}

/** Works off an erasure with another archive, which stops in the midst of it, until that has stopped. */
export async function workUntilStopped(
  store: Store,
  content: string,
  { archive, stopped }: { readonly archive: ArchiveStore; readonly stopped: Promise<unknown> },
): Promise<{ readonly work: Begun; readonly working: Promise<boolean> }> {
  for (let attempt = 1; attempt <= 10; attempt++) {
    const id = await begun(store, content)
    const working = workOffErasure({ database: store.open.stores.database, archive, index: undefined }, id)
    if (!(await Promise.race([working, stopped.then(() => true)]))) continue
    return { work: { details: { erasure: id } }, working }
  }
  throw new Error('another one has taken the work each time')
}

/** A session with one large message, and the work of erasing it, which nobody else takes. */
export async function claimed(store: Store, content: string): Promise<ErasureItem> {
  const { database } = store.open.stores
  // The background work may take one.
  for (let attempt = 1; attempt <= 10; attempt++) {
    const id = await begun(store, content)
    const item = await database.run((sql) => claimErasure(sql, id))
    // Nobody renews it here.
    await database.run(
      (sql) => sql`update outbox set available_at = now() + interval '5 minutes' where id = ${item?.id ?? 0}`,
    )
    const withoutRows = item === undefined ? undefined : await eraseRows(database, item)
    if (withoutRows !== undefined) return withoutRows
    // What the other one erases of it is not to be what the next attempt puts.
    await completed(store, id)
  }
  throw new Error('another one has taken the work each time')
}

async function completed(store: Store, id: string): Promise<unknown> {
  const { database } = store.open.stores
  const read = async () => {
    const [receipt] = await database.run((sql) => readReceipts(sql, caller.tenantId, { id, limit: 1 }))
    return receipt
  }
  await expect.poll(async () => (await read())?.completed_at ?? null, { timeout: 30_000 }).not.toBeNull()
  return await read()
}

/** Does what is left of an erasure, and gives its receipt. */
export async function goOn(store: Store, { details: { erasure: id } }: Begun): Promise<unknown> {
  const { database, archive } = store.open.stores
  await database.run((sql) => sql`update outbox set available_at = now() where topic = 'erase'`)
  await workOffErasure({ database, archive, index: undefined }, id)
  return await completed(store, id)
}
