import { renewCopies } from '../archive/archive-keys.ts'
import { BrokenSeal } from '../crypto/aead.ts'
import { unwrapKey, wrapKey } from '../crypto/wrapped-key.ts'
import { ConflictError } from '../errors.ts'
import type { Database } from '../store/database.ts'
import { readTenantKeys } from '../store/keys/encryption-keys.ts'
import {
  countKeysForPlanner,
  destroyOldTenantKeys,
  forgetOldWrappings,
  readKeysWrappedBefore,
  storeRewrapped,
  type RewrappedKey,
} from '../store/keys/rewrap-keys.ts'
import { addTenantKey, openTenantKeys, type TenantKeys } from '../store/keys/tenant-keys.ts'
import { inTransaction } from '../store/transaction.ts'
import type { KeyStores } from './rotate-root-key.ts'

export interface TenantKeyRotation {
  /** Of the key that now wraps all others. */
  readonly version: number
  /** Keys that were wrapped anew. */
  readonly keys: number
  /** Keys that do not open and stay as they are; the old key of the tenant is kept for them. */
  readonly broken: readonly string[]
}

const keysAtOnce = 1_000

/**
 * Gives a tenant a new key, wraps all others by it, and destroys the old one. What is read and saved meanwhile is under one of the
 * two. Killed and called again, it goes on: a tenant that has two keys is in the middle of it.
 */
export async function rotateTenantKey(
  stores: KeyStores,
  tenantId: number,
  onProgress: (keys: number) => void,
): Promise<TenantKeyRotation> {
  const { vault } = stores.database
  const run: Database['run'] = (work) => stores.database.run(work)
  const live = await run((sql) => readTenantKeys(sql, tenantId, 'tenant'))
  const newest = live.at(-1)
  if (newest === undefined)
    throw new ConflictError('Cannot change the key of this tenant as nothing of it is encrypted', {
      remedy: 'Run "verbatim keys encrypt" to encrypt all that it holds, with new keys',
    })
  if (live.length === 1) await addTenantKey(run, vault.settings, newest)
  const keys = await openTenantKeys(run, vault.settings, tenantId)
  if (keys === undefined) throw new Error(`The keys of tenant ${tenantId} are gone`)
  const broken = new Set<string>()
  let count = 0
  await run(countKeysForPlanner)
  for (;;) {
    count += await rewrapAll(stores, { tenantId, keys, broken }, onProgress)
    const isDone = await run((sql) => inTransaction(sql, (own) => destroyOldTenantKeys(own, tenantId, keys.newest.id)))
    if (isDone || broken.size > 0) break
  }
  await run(forgetOldWrappings)
  await renewCopies(stores, tenantId)
  return { version: keys.newest.version, keys: count, broken: [...broken] }
}

/** Wraps by the newest key what an older one wraps; how many keys. */
async function rewrapAll(
  { database }: KeyStores,
  context: { readonly tenantId: number; readonly keys: TenantKeys; readonly broken: Set<string> },
  onProgress: (keys: number) => void,
): Promise<number> {
  const { tenantId, keys, broken } = context
  const { newest } = keys
  let after: string | undefined
  let count = 0
  for (;;) {
    const wanted = { newestId: newest.id, after, limit: keysAtOnce }
    const stored = await database.run((sql) => readKeysWrappedBefore(sql, tenantId, wanted))
    const rewrapped: RewrappedKey[] = []
    for (const key of stored) {
      const former = keys.byId.get(key.wrappedBy)
      try {
        if (former === undefined || key.wrapped === null)
          throw new BrokenSeal('Cannot open a key without what wraps it')
        const wrapped = wrapKey(newest.key, key, unwrapKey(former, key, key.wrapped))
        rewrapped.push({ id: key.id, wrapped, wrappedBy: newest.id, formerly: key.wrappedBy })
      } catch (error) {
        if (!(error instanceof BrokenSeal)) throw error
        broken.add(key.id)
      }
    }
    if (rewrapped.length > 0) await database.run((sql) => storeRewrapped(sql, tenantId, rewrapped))
    count += rewrapped.length
    onProgress(rewrapped.length)
    after = stored.at(-1)?.id
    if (after === undefined) return count
  }
}
