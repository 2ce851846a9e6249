import type { KeyObject } from 'node:crypto'

import { BrokenSeal, takeKey } from '../../crypto/aead.ts'
import {
  describeRootKey,
  makeRootKeyFile,
  readRootKey,
  type RootKey,
  type RootKeySettings,
} from '../../crypto/root-key.ts'
import { newMaterial, unwrapKey, wrapKey, type KeyName } from '../../crypto/wrapped-key.ts'
import { UnavailableError } from '../../errors.ts'
import { newId } from '../../model/ids.ts'
import type { Database } from '../database.ts'
import { insertTenantKey, readRootKeyId, readTenantKeys, type StoredKey } from './encryption-keys.ts'

/** The keys of a tenant that wrap its others: one, or two while it is being changed. */
export interface TenantKeys {
  readonly newest: { readonly id: string; readonly key: KeyObject }
  readonly byId: ReadonlyMap<string, KeyObject>
}

const keepIt = 'Put the root key back from your copy of it: without it, what is encrypted cannot be read by anybody'

/** The root key of a store. Throws UnavailableError where it is missing, or is not the one that the store was encrypted under. */
async function requireRootKey(settings: RootKeySettings, expectedId: string): Promise<RootKey> {
  const root = await readRootKey(settings)
  const source = describeRootKey(settings)
  if (root === undefined)
    throw new UnavailableError(
      `Cannot open this store as it is encrypted and its root key is missing: ${source} is not there`,
      { remedy: keepIt },
    )
  if (root.id === expectedId) return root
  throw new UnavailableError(
    `Cannot open this store as it is encrypted under the root key ${expectedId}, and the one of ${source} is ${root.id}`,
    { remedy: keepIt },
  )
}

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
  settings: RootKeySettings,
  tenantId: number,
): Promise<TenantKeys | undefined> {
  const stored = await run((sql) => readTenantKeys(sql, tenantId, 'tenant'))
  const newest = stored.at(-1)
  if (newest === undefined) return undefined
  const root = await requireRootKey(settings, newest.wrappedBy)
  const byId = new Map(stored.map((key) => [key.id, openKey(root, key)]))
  return { newest: { id: newest.id, key: byId.get(newest.id) ?? openKey(root, newest) }, byId }
}

/** Makes the first key of a tenant, and before it the file of the root key where the whole store has none. */
export async function makeTenantKey(run: Database['run'], settings: RootKeySettings, tenantId: number): Promise<void> {
  const rootId = await run(readRootKeyId)
  if (rootId === undefined && settings.kind === 'file') await makeRootKeyFile(settings.path)
  const root = rootId === undefined ? await readRootKey(settings) : await requireRootKey(settings, rootId)
  if (root === undefined) throw new UnavailableError(`Cannot find ${describeRootKey(settings)}`, { remedy: keepIt })
  const name: KeyName = { tenantId, purpose: 'tenant', id: newId(), sessionId: null, version: 1 }
  const wrapped = wrapKey(root.key, name, newMaterial())
  await run((sql) => insertTenantKey(sql, name, { wrapped, wrappedBy: root.id }))
}
