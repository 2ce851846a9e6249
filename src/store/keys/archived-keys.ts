import { wrapAlgorithm, type KeyPurpose } from '../../crypto/wrapped-key.ts'
import { sha256 } from '../../model/messages/payload.ts'
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
 * The order in which copies are made: the keys of tenants first, as they open the others; last what was destroyed, as the old key of
 * a tenant opens copies that were not yet renewed.
 */
export const keyStages = ['tenant', 'others', 'destroyed'] as const
export type KeyStage = (typeof keyStages)[number]

/** The keys of a session that are wrapped, or a page of all keys, by their ids: `onlyArchived` those that have a copy already. */
export type WantedKeys =
  | { readonly sessionId: string | null }
  | { readonly after: string | undefined; readonly limit: number; readonly onlyArchived: boolean }

/**
 * Keys of one stage of which the archive has another state than the store. One that was destroyed comes while the archive has it.
 * Those of tombstones wrap nothing, and are in the archive beside them. A page uses the primary key.
 */
export async function readUnarchivedKeys(
  sql: Queries,
  { tenantId, stage }: { readonly tenantId: number; readonly stage: KeyStage },
  wanted: WantedKeys,
): Promise<UnarchivedKey[]> {
  const which =
    'limit' in wanted
      ? pageOf(sql, wanted)
      : sql`and (k.session_id is null or k.session_id = ${wanted.sessionId}::uuid)`
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
    where k.tenant_id = ${tenantId} and ${stageOf(sql, stage)} ${which}
    order by k.id ${'limit' in wanted ? sql`limit ${wanted.limit}` : sql``}`
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

function stageOf(sql: Queries, stage: KeyStage) {
  switch (stage) {
    case 'tenant':
      return sql`k.purpose = 'tenant' and k.destroyed_at is null and a.location is distinct from place.location`
    case 'others':
      return sql`k.purpose in ('session', 'data', 'search') and k.destroyed_at is null and a.location is distinct from place.location`
    case 'destroyed':
      return sql`k.purpose <> 'tombstone' and k.destroyed_at is not null and a.location is not null`
    default:
      return stage satisfies never
  }
}

function pageOf(sql: Queries, { after, onlyArchived }: Extract<WantedKeys, { readonly limit: number }>) {
  return sql`
    ${after === undefined ? sql`` : sql`and k.id > ${after}::uuid`}
    ${onlyArchived ? sql`and (a.location is not null or k.purpose = 'tenant')` : sql``}`
}

/** How each key of a tenant that belongs to no session is wrapped, by its id; null where it was destroyed. */
export async function readWrappings(sql: Queries, tenantId: number): Promise<Map<string, string | null>> {
  const rows = await sql<{ id: string; wrapped_by: string | null }[]>`
    select id, case when destroyed_at is null then wrapped_by end as wrapped_by from encryption_keys
    where tenant_id = ${tenantId} and session_id is null`
  return new Map(rows.map((row) => [row.id, row.wrapped_by]))
}

/** A copy of a key that the archive has. */
export interface ArchivedKey extends Pick<UnarchivedKey, 'id' | 'location'> {
  readonly bytes: Uint8Array
}

/** Notes that the archive has copies of keys. Gives the ids of those that are not destroyed: the copies of others must go. */
export async function keysArchived(
  sql: Queries,
  tenantId: number,
  keys: readonly ArchivedKey[],
): Promise<ReadonlySet<string>> {
  const copies = keys.map(({ id, location, bytes }) => ({ id, at: location, sha: sha256(bytes).toString('hex') }))
  // Locked: who destroys one comes before, or finds the copy.
  const rows = await sql<{ id: string }[]>`
    with copies as (
      select * from jsonb_to_recordset(${JSON.stringify(copies)}::text::jsonb) as copy(id uuid, at text, sha text)
    ), living as (
      select id from encryption_keys
      where tenant_id = ${tenantId} and id in (select id from copies) and destroyed_at is null for share
    )
    insert into archive_manifests (tenant_id, kind, subject_id, number, version, location, sha256, content_sha256)
    select ${tenantId}, 'key', id, 1, 1, at, decode(sha, 'hex'), decode(sha, 'hex') from living join copies using (id)
    on conflict (tenant_id, kind, subject_id) do update set location = excluded.location, sha256 = excluded.sha256,
      content_sha256 = excluded.content_sha256, written_at = now()
    returning subject_id as id`
  return new Set(rows.map(({ id }) => id))
}

/** Notes that the archive has no copies any more of keys that were destroyed. */
export async function keysGone(sql: Queries, tenantId: number, ids: readonly string[]): Promise<void> {
  await sql`
    delete from archive_manifests where tenant_id = ${tenantId} and kind = 'key'
      and subject_id in (select jsonb_array_elements_text(${JSON.stringify(ids)}::text::jsonb)::uuid)`
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
