import { firstTenantId } from '../../model/access.ts'
import type { ArchiveStore } from '../../ports/archive-store.ts'
import type { Database } from '../../store/database.ts'
import { erasuresOfIds } from '../../store/erasure/known-tombstones.ts'
import { countKeys, sessionsWithoutKey } from '../../store/keys/lost-keys.ts'
import { requireKeysOfOne, restoreKeys } from '../archive-keys.ts'

/** Of the sessions without a key so many are named. */
const namedMax = 100

export interface LostKeysReport {
  readonly restored: number
  /** Sessions that nobody can read: they have no key here, nor in the archive. */
  readonly lacking: readonly { readonly tenantId: number; readonly sessionId: string }[]
  readonly lacking_count: number
}

/**
 * Takes the keys that a store lacks from its archive, as where its database was put back from a backup that leaves them out.
 * The keys of what was erased since are not there any more. Throws ConflictError where the store has other keys, or
 * the archive those of two stores.
 */
export async function restoreLostKeys(stores: {
  readonly database: Database
  readonly archive: ArchiveStore
}): Promise<LostKeysReport> {
  const { database, archive } = stores
  const before = await database.run(countKeys)
  for (const [tenantId, sessionIds] of await archivedOwners(archive)) {
    if (database.kind === 'embedded' && tenantId !== firstTenantId) continue
    await requireKeysOfOne(stores, tenantId)
    await restoreKeys(stores, { tenantId })
    await database.vault.check(tenantId)
    const erased = await database.run((sql) => erasuresOfIds(sql, tenantId, { kind: 'session', ids: sessionIds }))
    for (const sessionId of sessionIds) if (!erased.has(sessionId)) await restoreKeys(stores, { tenantId, sessionId })
  }
  const { sessions, count } = await database.run((sql) => sessionsWithoutKey(sql, namedMax))
  return { restored: (await database.run(countKeys)) - before, lacking: sessions, lacking_count: count }
}

/** The tenants of which the archive has keys, each with the sessions of which it has some. */
async function archivedOwners(archive: ArchiveStore): Promise<ReadonlyMap<number, readonly string[]>> {
  const owners = new Map<number, Set<string>>()
  for await (const name of archive.list('keys/')) {
    const [, tenant, owner] = /^keys\/(\d+)\/([^/]+)\//.exec(name) ?? []
    if (tenant === undefined || owner === undefined) continue
    const sessions = owners.get(Number(tenant)) ?? new Set()
    if (owner !== 'tenant') sessions.add(owner)
    owners.set(Number(tenant), sessions)
  }
  return new Map([...owners].map(([tenantId, sessions]) => [tenantId, [...sessions]]))
}
