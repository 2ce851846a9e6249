import { z } from 'zod'

import { ConflictError } from '../errors.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import type { Database } from '../store/database.ts'
import {
  insertArchivedKey,
  keyArchived,
  keyGone,
  keyPrefix,
  readUnarchivedKeys,
  type UnarchivedKey,
} from '../store/keys/archived-keys.ts'
import { readTenantKeys, type StoredKey } from '../store/keys/encryption-keys.ts'

/**
 * The keys of a store are in its archive too, wrapped as they are in the database: whoever rebuilds a store from its archive
 * needs the root key and nothing else. They are objects of their own, so that the key of what is erased can be removed, and
 * left out of copies that are kept longer.
 */
const keySchema = z.object({
  purpose: z.enum(['tenant', 'session', 'data', 'search']),
  id: z.uuid(),
  session_id: z.uuid().nullable(),
  version: z.number().int().positive(),
  wrapped: z.base64(),
  wrapped_by: z.string(),
})

interface Stores {
  readonly database: Database
  readonly archive: ArchiveStore
}

/** Whose keys: a session's, or those of a tenant that belong to no session. */
interface KeyOwner {
  readonly tenantId: number
  readonly sessionId?: string
}

/** Brings the keys of a session, and those of its tenant, into the archive as they are wrapped now. */
export async function archiveKeysOf(stores: Stores, owner: KeyOwner): Promise<void> {
  const { database } = stores
  const keys = await database.run((sql) =>
    readUnarchivedKeys(sql, owner.tenantId, { sessionId: owner.sessionId ?? null }),
  )
  for (const key of keys) await archiveKey(stores, key)
}

const keysAtOnce = 500

/** Brings all keys of a tenant into the archive that are wrapped otherwise there, as after one was changed; how many. */
export async function archiveChangedKeys(stores: Stores, tenantId: number): Promise<number> {
  const keys = await stores.database.run((sql) => readUnarchivedKeys(sql, tenantId, { limit: keysAtOnce }))
  for (const key of keys) await archiveKey(stores, key)
  return keys.length
}

async function archiveKey({ database, archive }: Stores, key: UnarchivedKey): Promise<void> {
  const { purpose, id, sessionId, version, wrapped, wrappedBy, location, archivedAt } = key
  if (wrapped !== null) {
    const bytes = bytesOf({ purpose, id, sessionId, version, wrapped, wrappedBy })
    await archive.put(location, bytes)
    if (await database.run((sql) => keyArchived(sql, key, bytes))) {
      if (archivedAt !== null && archivedAt !== location) await archive.delete(archivedAt)
      return
    }
    await archive.eraseBelow(location)
  }
  // Destroyed: no version of it may be left.
  if (archivedAt !== null) await archive.eraseBelow(archivedAt)
  await database.run((sql) => keyGone(sql, key))
}

function bytesOf(key: Omit<StoredKey, 'tenantId' | 'wrapped'> & { readonly wrapped: Uint8Array }): Buffer {
  const { purpose, id, sessionId, version, wrapped, wrappedBy } = key
  const text = Buffer.from(wrapped).toString('base64')
  return Buffer.from(
    JSON.stringify({ purpose, id, session_id: sessionId, version, wrapped: text, wrapped_by: wrappedBy }),
  )
}

/** Takes the keys of a session, or of a tenant, from the archive into the store, where they are not yet. */
export async function restoreKeys({ database, archive }: Stores, owner: KeyOwner): Promise<void> {
  const { tenantId } = owner
  const wrapping = new Set(
    owner.sessionId === undefined
      ? []
      : (await database.run((sql) => readTenantKeys(sql, tenantId, 'tenant'))).map(({ id }) => id),
  )
  for await (const name of archive.list(keyPrefix(tenantId, owner.sessionId ?? null))) {
    const bytes = await archive.get(name)
    if (bytes === undefined) continue
    const key = keySchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
    // What is left of a change of the tenant's key that was under way: the same key is there in another wrapping too.
    if (owner.sessionId !== undefined && !wrapping.has(key.wrapped_by)) continue
    const wrapped = Buffer.from(key.wrapped, 'base64')
    const { purpose, id, session_id: sessionId, version, wrapped_by: wrappedBy } = key
    const stored = { tenantId, purpose, id, sessionId, version, wrapped, wrappedBy }
    const isThere = await database.run(async (sql) => {
      if (!(await insertArchivedKey(sql, stored))) return false
      return await keyArchived(sql, { tenantId, id, location: name }, bytes)
    })
    if (!isThere)
      throw new ConflictError(`Cannot restore tenant ${tenantId} as this store has other keys already`, {
        remedy: 'Set VERBATIM_HOME or DATABASE_URL to a new store, in which nothing was ever saved',
      })
  }
}
