import { z } from 'zod'

import { ConflictError } from '../errors.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import type { Database } from '../store/database.ts'
import {
  insertArchivedKey,
  keyPrefix,
  keyStages,
  keysArchived,
  keysGone,
  readUnarchivedKeys,
  readWrappings,
  type UnarchivedKey,
} from '../store/keys/archived-keys.ts'
import { readTenantKeys, type StoredKey } from '../store/keys/encryption-keys.ts'
import { requireRootKey, rootKeyIds } from '../store/keys/root-keys.ts'

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
export async function archiveKeysOf(stores: Stores, { tenantId, sessionId: given }: KeyOwner): Promise<void> {
  const sessionId = given ?? null
  for (const stage of ['tenant', 'others'] as const) {
    const keys = await stores.database.run((sql) => readUnarchivedKeys(sql, { tenantId, stage }, { sessionId }))
    await archiveTogether(stores, tenantId, keys)
  }
}

const keysPerPage = 500
const keysAtOnce = 16

/**
 * Brings the keys of a tenant into the archive that are wrapped otherwise there, as after one was changed, until `isOver`. All of
 * them, or those alone of which it has a copy.
 */
export async function archiveChangedKeys(
  stores: Stores,
  tenantId: number,
  {
    onlyArchived = false,
    isOver = () => false,
  }: { readonly onlyArchived?: boolean; readonly isOver?: () => boolean } = {},
): Promise<void> {
  for (const stage of keyStages) {
    let after: string | undefined
    do {
      const page = { after, limit: keysPerPage, onlyArchived }
      const keys = await stores.database.run((sql) => readUnarchivedKeys(sql, { tenantId, stage }, page))
      for (let at = 0; at < keys.length; at += keysAtOnce) {
        if (isOver()) return
        const some = keys.slice(at, at + keysAtOnce)
        await (stage === 'destroyed' ? eraseTogether : archiveTogether)(stores, tenantId, some)
      }
      after = keys.at(-1)?.id
    } while (after !== undefined)
  }
}

async function archiveTogether(stores: Stores, tenantId: number, keys: readonly UnarchivedKey[]): Promise<void> {
  if (keys.length === 0) return
  const { database, archive } = stores
  const copies = keys.flatMap((key) => (key.wrapped === null ? [] : [{ ...key, bytes: bytesOf(key, key.wrapped) }]))
  await Promise.all(copies.map(({ location, bytes }) => archive.put(location, bytes)))
  // Before it is noted that they are others: who dies in between finds them again.
  await Promise.all(
    copies.map(async ({ archivedAt, location, purpose }) => {
      if (archivedAt === null || archivedAt === location) return
      // An old root key must open no former version of it either. The others are noise without the tenant's key.
      if (purpose === 'tenant') await archive.erase(archivedAt)
      else await archive.delete(archivedAt)
    }),
  )
  const living = await database.run((sql) => keysArchived(sql, tenantId, copies))
  const destroyed = copies.filter(({ id }) => !living.has(id)).map((copy) => ({ ...copy, archivedAt: copy.location }))
  if (destroyed.length > 0) await eraseTogether(stores, tenantId, destroyed)
}

/** Of what was destroyed no version may be left. */
async function eraseTogether(
  { database, archive }: Stores,
  tenantId: number,
  keys: readonly Pick<UnarchivedKey, 'id' | 'archivedAt'>[],
): Promise<void> {
  for (const { archivedAt } of keys) if (archivedAt !== null) await archive.erase(archivedAt)
  const ids = keys.map(({ id }) => id)
  await database.run((sql) => keysGone(sql, tenantId, ids))
}

function bytesOf({ purpose, id, sessionId, version, wrappedBy }: StoredKey, wrapped: Uint8Array): Buffer {
  const text = Buffer.from(wrapped).toString('base64')
  return Buffer.from(
    JSON.stringify({ purpose, id, session_id: sessionId, version, wrapped: text, wrapped_by: wrappedBy }),
  )
}

/**
 * Brings the copies of a tenant's keys up to date, after one that wraps others was changed, and removes what is left there of a
 * tenant's own keys by who died, or was slow, in an earlier change.
 */
export async function renewCopies(stores: Stores, tenantId: number): Promise<void> {
  await archiveChangedKeys(stores, tenantId, { onlyArchived: true })
  const wrappings = await stores.database.run((sql) => readWrappings(sql, tenantId))
  const prefix = keyPrefix(tenantId, null)
  for await (const name of stores.archive.list(prefix)) {
    const [id, wrappedBy] = name.slice(prefix.length).split('.')
    const wrapping = wrappings.get(id ?? '')
    if (wrapping !== undefined && wrapping !== wrappedBy) await stores.archive.erase(name)
  }
}

/** A key as the archive has it, and where. */
interface KeyCopy {
  readonly name: string
  readonly bytes: Uint8Array
  readonly key: z.infer<typeof keySchema>
}

async function readCopies({ archive }: Stores, { tenantId, sessionId }: KeyOwner): Promise<KeyCopy[]> {
  const copies: KeyCopy[] = []
  for await (const name of archive.list(keyPrefix(tenantId, sessionId ?? null))) {
    const bytes = await archive.get(name)
    if (bytes === undefined) continue
    copies.push({ name, bytes, key: keySchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8'))) })
  }
  // In the order in which they were made: of two stores that share the place the older one comes first.
  return copies.toSorted((a, b) => (a.key.id < b.key.id ? -1 : 1))
}

/**
 * Takes the keys of a session, or of a tenant, from the archive into the store, where they are not yet. Gives the names of those that
 * it passed over, as another root key wraps them, a key that such a one wraps, or as there is a key of that number: those of another
 * store that shares the place. Throws UnavailableError where the root key at hand opens none of a tenant's, and ConflictError where
 * none of them has a place in this store.
 */
export async function restoreKeys(stores: Stores, owner: KeyOwner): Promise<string[]> {
  const { database } = stores
  const { tenantId } = owner
  const copies = await readCopies(stores, owner)
  const ofTenant = copies.filter(({ key }) => key.purpose === 'tenant')
  const others = copies.filter(({ key }) => key.purpose !== 'tenant')
  const taken = new Set<string>()
  const take = async (copy: KeyCopy) => {
    if (await insertCopy(stores, tenantId, copy)) taken.add(copy.key.id)
  }
  const [first] = ofTenant
  if (first !== undefined) {
    const { settings } = database.vault
    const roots = await rootKeyIds(settings)
    const opened = ofTenant.filter(({ key }) => roots.has(key.wrapped_by))
    if (opened.length === 0) await requireRootKey(settings, first.key.wrapped_by)
    for (const copy of opened) await take(copy)
    if (taken.size === 0)
      throw new ConflictError(`Cannot restore tenant ${tenantId} as this store has other keys already`, {
        remedy: 'Set VERBATIM_HOME or DATABASE_URL to a new store, in which nothing was ever saved',
      })
  }
  const wrapping = new Set((await database.run((sql) => readTenantKeys(sql, tenantId, 'tenant'))).map(({ id }) => id))
  for (const copy of others) if (wrapping.has(copy.key.wrapped_by)) await take(copy)
  // Of a change of a key that was under way the same key may be there in another wrapping too.
  return copies.filter(({ key }) => !taken.has(key.id)).map(({ name }) => name)
}

/**
 * Throws ConflictError where the archive has keys of two stores for a tenant that one root key wraps: which of them a database was put
 * back without cannot be seen.
 */
export async function requireKeysOfOne(stores: Stores, tenantId: number): Promise<void> {
  const copies = (await readCopies(stores, { tenantId })).filter(({ key }) => key.purpose === 'tenant')
  const twins = copies.filter(({ key: { id, version, wrapped_by: root } }) =>
    copies.some(({ key }) => key.id !== id && key.version === version && key.wrapped_by === root),
  )
  if (twins.length === 0) return
  const names = twins.map(({ name }) => name).join(', ')
  throw new ConflictError(
    `Cannot take the keys of tenant ${tenantId} from this archive as two stores with one root key were archived to it: ${names}`,
    { remedy: 'Copy the archive without those of the other store, and set VERBATIM_ARCHIVE to the copy' },
  )
}

/** False where another key has its number. */
async function insertCopy({ database }: Stores, tenantId: number, { name, bytes, key }: KeyCopy): Promise<boolean> {
  const { purpose, id, session_id: sessionId, version, wrapped_by: wrappedBy } = key
  const wrapped = Buffer.from(key.wrapped, 'base64')
  const stored = { tenantId, purpose, id, sessionId, version, wrapped, wrappedBy }
  return await database.run(async (sql) => {
    if (!(await insertArchivedKey(sql, stored))) return false
    return (await keysArchived(sql, tenantId, [{ id, location: name, bytes }])).size > 0
  })
}
