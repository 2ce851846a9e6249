import { wrapAlgorithm, type KeyName, type KeyPurpose } from '../../crypto/wrapped-key.ts'
import type { Queries } from '../rows.ts'

/** A key as it is stored; `wrapped` is null where it was destroyed. */
export interface StoredKey extends KeyName {
  readonly wrapped: Uint8Array | null
  /** The id of the key that wraps it: of a root key for a tenant's, of a tenant's key for all others. */
  readonly wrappedBy: string
}

export interface RawKey {
  readonly tenant_id: number
  readonly purpose: KeyPurpose
  readonly id: string
  readonly session_id: string | null
  readonly version: number
  readonly wrapped: Uint8Array | null
  readonly wrapped_by: string
}

export function keyFromRow(row: RawKey): StoredKey {
  const { tenant_id: tenantId, purpose, id, session_id: sessionId, version, wrapped, wrapped_by: wrappedBy } = row
  return { tenantId, purpose, id, sessionId, version, wrapped, wrappedBy }
}

export const keyColumns = (sql: Queries) => sql`
  k.tenant_id, k.purpose, k.id, k.session_id, k.version, k.wrapped, k.wrapped_by`

/** The keys of a tenant that belong to no session, the oldest version first. Uses encryption_keys_version. */
export async function readTenantKeys(
  sql: Queries,
  tenantId: number,
  purpose: Exclude<KeyPurpose, 'session'>,
): Promise<StoredKey[]> {
  const rows = await sql<RawKey[]>`
    select ${keyColumns(sql)} from encryption_keys k
    where k.tenant_id = ${tenantId} and k.purpose = ${purpose} and k.destroyed_at is null order by k.version`
  return rows.map(keyFromRow)
}

/**
 * The version of the first key of a tenant that belongs to no session, where it has none that lives: those that were destroyed
 * have used up theirs. Of several processes that make one at once all come to the same.
 */
export async function firstKeyVersion(
  sql: Queries,
  tenantId: number,
  purpose: Exclude<KeyPurpose, 'session'>,
): Promise<number> {
  const [row] = await sql<{ next: number }[]>`
    select coalesce(max(version), 0) + 1 as next from encryption_keys
    where tenant_id = ${tenantId} and purpose = ${purpose} and session_id is null and destroyed_at is not null`
  return row?.next ?? 1
}

/** By which root key the keys of tenants are wrapped; undefined where there are none yet. */
export async function readRootKeyId(sql: Queries): Promise<string | undefined> {
  const [row] = await sql<{ wrapped_by: string }[]>`
    select wrapped_by from encryption_keys where purpose = 'tenant' and destroyed_at is null limit 1`
  return row?.wrapped_by
}

/** One version of a session's key. */
export interface SessionKeyVersion {
  readonly sessionId: string
  readonly version: number
}

/** Keys of sessions, in no promised order; those that do not exist are absent. Uses encryption_keys_version. */
export async function readSessionKeys(
  sql: Queries,
  tenantId: number,
  wanted: readonly SessionKeyVersion[],
): Promise<StoredKey[]> {
  const places = JSON.stringify(wanted.map(({ sessionId: s, version: v }) => ({ s, v })))
  const rows = await sql<RawKey[]>`
    select ${keyColumns(sql)} from jsonb_to_recordset(${places}::text::jsonb) as w(s uuid, v int)
    join encryption_keys k on k.tenant_id = ${tenantId} and k.purpose = 'session' and k.session_id = w.s and k.version = w.v`
  return rows.map(keyFromRow)
}

/** Which version of its key seals what is saved to a session; 0 where it is not sealed, undefined where there is no such session. */
export async function readKeyVersion(sql: Queries, tenantId: number, sessionId: string): Promise<number | undefined> {
  const [row] = await sql<{ key_version: number }[]>`
    select key_version from sessions where tenant_id = ${tenantId} and id = ${sessionId}`
  return row?.key_version
}

/**
 * Stores a key, unless there is one of its purpose, session and version: the first wins. `stale` where the key that wraps it
 * is another by now.
 */
export async function insertKey(
  sql: Queries,
  name: KeyName,
  wrapping: { readonly wrapped: Uint8Array; readonly wrappedBy: string },
): Promise<'made' | 'taken' | 'stale'> {
  // Locked, so that it is not destroyed while something is wrapped by it.
  const [row] = await sql<{ parents: number; made: number }[]>`
    with parent as (
      select id from encryption_keys
      where tenant_id = ${name.tenantId} and purpose = 'tenant' and id = ${wrapping.wrappedBy} and destroyed_at is null for share
    ), made as (
      insert into encryption_keys (tenant_id, id, purpose, session_id, version, algorithm, wrapped, wrapped_by)
      select ${name.tenantId}, ${name.id}, ${name.purpose}, ${name.sessionId}::uuid, ${name.version}, ${wrapAlgorithm},
        ${Buffer.from(wrapping.wrapped)}, parent.id::text
      from parent on conflict do nothing returning 1
    )
    select (select count(*)::int from parent) as parents, (select count(*)::int from made) as made`
  if (row?.made === 1) return 'made'
  return row?.parents === 0 ? 'stale' : 'taken'
}

/**
 * Stores a tenant's key, which a root key wraps, unless it has one of this version. False where the store is under another
 * root key by now: it has one at a time, so the keys of all tenants have.
 */
export async function insertTenantKey(
  sql: Queries,
  name: KeyName,
  wrapping: { readonly wrapped: Uint8Array; readonly wrappedBy: string },
): Promise<boolean> {
  const [row] = await sql<{ others: boolean }[]>`
    with others as (
      select 1 from encryption_keys where purpose = 'tenant' and destroyed_at is null and wrapped_by <> ${wrapping.wrappedBy} limit 1
    ), made as (
      insert into encryption_keys (tenant_id, id, purpose, version, algorithm, wrapped, wrapped_by)
      select ${name.tenantId}, ${name.id}, 'tenant', ${name.version}, ${wrapAlgorithm}, ${Buffer.from(wrapping.wrapped)},
        ${wrapping.wrappedBy}
      where not exists (select from others)
      on conflict do nothing
    )
    select exists (select from others) as others`
  return row?.others === false
}

/** How many sessions of a tenant are sealed, and how many are not. */
export async function countSealed(
  sql: Queries,
  tenantId: number,
): Promise<{ readonly sealed: number; readonly plain: number }> {
  const [row] = await sql<{ sealed: number; plain: number }[]>`
    select count(*) filter (where key_version > 0)::int as sealed, count(*) filter (where key_version = 0)::int as plain
    from sessions where tenant_id = ${tenantId}`
  return row ?? { sealed: 0, plain: 0 }
}

/** Whether any session of a tenant is sealed that has no key: in one look, as another process may just make the first of both. */
export async function lacksKey(sql: Queries, tenantId: number): Promise<boolean> {
  const rows = await sql`
    select from sessions where tenant_id = ${tenantId} and key_version > 0 and not exists (
      select from encryption_keys where tenant_id = ${tenantId} and purpose = 'tenant' and destroyed_at is null) limit 1`
  return rows.length > 0
}

export async function hasSessions(sql: Queries, tenantId: number): Promise<boolean> {
  const rows = await sql`select from sessions where tenant_id = ${tenantId} limit 1`
  return rows.length > 0
}

/** How many keys of a tenant its own key wraps. */
export async function countKeys(sql: Queries, tenantId: number): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from encryption_keys
    where tenant_id = ${tenantId} and purpose in ('session', 'data', 'search') and destroyed_at is null`
  return row?.count ?? 0
}
