import type { KeyObject } from 'node:crypto'

import { BrokenSeal, takeKey } from '../../crypto/aead.ts'
import type { RootKey } from '../../crypto/root-key.ts'
import { newMaterial, unwrapKey, wrapKey, type KeyName } from '../../crypto/wrapped-key.ts'
import { KeysMissing, UnavailableError } from '../../errors.ts'
import { newId } from '../../model/ids.ts'
import type { Database } from '../database.ts'
import {
  firstKeyVersion,
  insertTenantKey,
  lacksKey,
  readRootKeyId,
  readTenantKeys,
  type StoredKey,
} from './encryption-keys.ts'
import { firstRootKey, requireRootKey, type RootKeySources } from './root-keys.ts'

/** The keys of a tenant that wrap its others: one, or two while it is being changed. */
export interface TenantKeys {
  readonly newest: { readonly id: string; readonly version: number; readonly key: KeyObject }
  readonly byId: ReadonlyMap<string, KeyObject>
}

/** The root key is changed seldom; each time it may be another by the time it is read. */
const attemptsMax = 5

function openKey(root: RootKey, stored: StoredKey): KeyObject {
  if (stored.wrapped === null) throw new Error(`The key ${stored.id} of tenant ${stored.tenantId} was destroyed`)
  try {
    const { sealing, hashing } = unwrapKey(root.key, stored, stored.wrapped)
    hashing.fill(0)
    return takeKey(sealing)
  } catch (error) {
    if (!(error instanceof BrokenSeal)) throw error
    throw new UnavailableError(`Cannot open the key ${stored.id} of tenant ${stored.tenantId} as it was altered`, {
      remedy: 'Restore the table encryption_keys from a backup',
      cause: error,
    })
  }
}

/** The keys of a tenant; undefined where it has none yet. */
export async function openTenantKeys(
  run: Database['run'],
  sources: RootKeySources,
  tenantId: number,
): Promise<TenantKeys | undefined> {
  const read = () => run((sql) => readTenantKeys(sql, tenantId, 'tenant'))
  let stored = await read()
  for (let attempt = 1; ; attempt++) {
    const newest = stored.at(-1)
    if (newest === undefined) return undefined
    try {
      const root = await requireRootKey(sources, newest.wrappedBy)
      const byId = new Map(stored.map((key) => [key.id, openKey(root, key)]))
      const { id, version } = newest
      return { newest: { id, version, key: byId.get(id) ?? openKey(root, newest) }, byId }
    } catch (error) {
      const again = await read()
      // The root key was changed between the two looks at it.
      if (again.at(-1)?.wrappedBy === newest.wrappedBy || attempt === attemptsMax) throw error
      stored = again
    }
  }
}

/**
 * Makes the first key of a tenant, and before it the file of the root key where the whole store has none. Throws UnavailableError
 * where the tenant must have had keys: with another one they could not be put back.
 */
export async function makeTenantKey(run: Database['run'], sources: RootKeySources, tenantId: number): Promise<void> {
  if (await run((sql) => lacksKey(sql, tenantId)))
    throw new KeysMissing('Cannot make a key as this store holds encrypted sessions and none of their keys', {
      remedy:
        'Run "verbatim restore --keys", which takes them from the archive, or restore the table encryption_keys from a backup',
    })
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    const rootId = await run(readRootKeyId)
    const root = rootId === undefined ? await firstRootKey(sources) : await requireRootKey(sources, rootId)
    const version = await run((sql) => firstKeyVersion(sql, tenantId, 'tenant'))
    if (await insertNew(run, root, { tenantId, version })) return
  }
  throw new UnavailableError(`Cannot make a key for tenant ${tenantId} as the root key is being changed`, {
    remedy: 'Try again',
  })
}

/** Makes the next version of a tenant's key, unless another has made it meanwhile. */
export async function addTenantKey(run: Database['run'], sources: RootKeySources, newest: StoredKey): Promise<void> {
  const root = await requireRootKey(sources, newest.wrappedBy)
  await insertNew(run, root, { tenantId: newest.tenantId, version: newest.version + 1 })
}

/** False where the store is under another root key by now. */
async function insertNew(
  run: Database['run'],
  root: RootKey,
  about: Pick<KeyName, 'tenantId' | 'version'>,
): Promise<boolean> {
  const name: KeyName = { ...about, purpose: 'tenant', id: newId(), sessionId: null }
  const wrapped = wrapKey(root.key, name, newMaterial())
  return await run((sql) => insertTenantKey(sql, name, { wrapped, wrappedBy: root.id }))
}
