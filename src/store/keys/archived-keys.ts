import { wrapAlgorithm, type KeyPurpose } from '../../crypto/wrapped-key.ts'
import { sha256 } from '../../model/payload.ts'
import type { Queries } from '../rows.ts'
import type { StoredKey } from './encryption-keys.ts'

/** A key of which the archive has another state than the store. */
export interface UnarchivedKey extends StoredKey {
  /** Where its copy is to be, a name that tells how it is wrapped; and where the copy is that the archive has. */
  readonly location: string
  readonly archivedAt: string | null
}

/** Where the copies of a session's keys are in the archive, or those of a tenant's that belong to no session. */
export function keyPrefix(tenantId: number, sessionId: string | null): string {
  return `keys/${tenantId}/${sessionId ?? 'tenant'}/`
}

/**
 * Keys of which the archive has another state than the store: all of a tenant's, or those of a session with those that belong
 * to none. The keys of tenants come first, as they open the others. One that was destroyed comes while the archive has it. Those of
 * tombstones wrap nothing, and are in the archive beside them.
 */
export async function readUnarchivedKeys(
  sql: Queries,
  tenantId: number,
  wanted: { readonly sessionId: string | null } | { readonly limit: number },
): Promise<UnarchivedKey[]> {
  const rows = await sql<
    {
      purpose: KeyPurpose
      id: string
      session_id: string | null
      version: number
      wrapped: Uint8Array | null
      wrapped_by: string
      location: string
      archived_at: string | null
    }[]
  >`
    select k.purpose, k.id, k.session_id, k.version, k.wrapped, k.wrapped_by, place.location, a.location as archived_at
    from encryption_keys k
    left join archive_manifests a on a.tenant_id = k.tenant_id and a.kind = 'key' and a.subject_id = k.id, lateral (
      select concat('keys/', k.tenant_id, '/', coalesce(k.session_id::text, 'tenant'), '/', k.id, '.', k.wrapped_by, '.vkey') as location
    ) place
    where k.tenant_id = ${tenantId} and k.purpose <> 'tombstone'
      ${'limit' in wanted ? sql`` : sql`and (k.session_id is null or k.session_id = ${wanted.sessionId}::uuid)`}
      and case when k.destroyed_at is null then a.location is distinct from place.location else a.location is not null end
    order by k.purpose <> 'tenant', k.destroyed_at is not null, k.id ${'limit' in wanted ? sql`limit ${wanted.limit}` : sql``}`
  return rows.map((row) => ({
    tenantId,
    purpose: row.purpose,
    id: row.id,
    sessionId: row.session_id,
    version: row.version,
    wrapped: row.wrapped,
    wrappedBy: row.wrapped_by,
    location: row.location,
    archivedAt: row.archived_at,
  }))
}

/** Notes that the archive has a copy of a key. False where the key was destroyed meanwhile: the copy must go. */
export async function keyArchived(
  sql: Queries,
  { tenantId, id, location }: Pick<UnarchivedKey, 'tenantId' | 'id' | 'location'>,
  bytes: Uint8Array,
): Promise<boolean> {
  const digest = sha256(bytes)
  // Locked: who destroys it comes before, or finds the copy.
  const rows = await sql`
    with living as (
      select id from encryption_keys where tenant_id = ${tenantId} and id = ${id} and destroyed_at is null for share
    )
    insert into archive_manifests (tenant_id, kind, subject_id, number, version, location, sha256, content_sha256)
    select ${tenantId}, 'key', id, 1, 1, ${location}, ${digest}, ${digest} from living
    on conflict (tenant_id, kind, subject_id) do update set location = excluded.location, sha256 = excluded.sha256,
      content_sha256 = excluded.content_sha256, written_at = now()
    returning 1`
  return rows.length > 0
}

/** Notes that the archive has no copy any more of a key that was destroyed. */
export async function keyGone(sql: Queries, { tenantId, id }: Pick<UnarchivedKey, 'tenantId' | 'id'>): Promise<void> {
  await sql`delete from archive_manifests where tenant_id = ${tenantId} and kind = 'key' and subject_id = ${id}`
}

/** Stores a key as it was archived. False where the store has another in its place. */
export async function insertArchivedKey(sql: Queries, key: StoredKey): Promise<boolean> {
  await sql`
    insert into encryption_keys (tenant_id, id, purpose, session_id, version, algorithm, wrapped, wrapped_by)
    values (${key.tenantId}, ${key.id}, ${key.purpose}, ${key.sessionId}::uuid, ${key.version}, ${wrapAlgorithm},
      ${Buffer.from(key.wrapped ?? [])}, ${key.wrappedBy})
    on conflict do nothing`
  const rows = await sql`select from encryption_keys where tenant_id = ${key.tenantId} and id = ${key.id}`
  return rows.length > 0
}
