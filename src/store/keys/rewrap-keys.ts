import type { TransactionSql } from 'postgres'

import type { RootKey } from '../../crypto/root-key.ts'
import { unwrapKey, wrapKey } from '../../crypto/wrapped-key.ts'
import type { Queries } from '../rows.ts'
import { keyColumns, keyFromRow, type RawKey, type StoredKey } from './encryption-keys.ts'

/** A key in its new wrapping. */
export interface RewrappedKey {
  readonly id: string
  readonly wrapped: Buffer
  readonly wrappedBy: string
  /** What wrapped it before: it is left alone where that is not so any more. */
  readonly formerly: string
}

/**
 * Wraps the keys of all tenants by another root key, all of them or none; how many. No tenant's first key is made meanwhile:
 * it would be under the root key that is given up.
 */
export async function rewrapTenantKeys(
  sql: TransactionSql,
  roots: { readonly from: RootKey; readonly to: RootKey },
): Promise<number> {
  await sql`lock table encryption_keys in share row exclusive mode`
  const rows = await sql<RawKey[]>`
    select ${keyColumns(sql)} from encryption_keys k
    where k.purpose = 'tenant' and k.destroyed_at is null and k.wrapped_by = ${roots.from.id}`
  const byTenant = new Map<number, RewrappedKey[]>()
  for (const stored of rows.map(keyFromRow)) {
    if (stored.wrapped === null) continue
    const wrapped = wrapKey(roots.to.key, stored, unwrapKey(roots.from.key, stored, stored.wrapped))
    const rewrapped = { id: stored.id, wrapped, wrappedBy: roots.to.id, formerly: roots.from.id }
    byTenant.set(stored.tenantId, [...(byTenant.get(stored.tenantId) ?? []), rewrapped])
  }
  for (const [tenantId, keys] of byTenant) await storeRewrapped(sql, tenantId, keys)
  return rows.length
}

/** Some keys of a tenant that others than its newest key wrap, in the order of their ids. */
export async function readKeysWrappedBefore(
  sql: Queries,
  tenantId: number,
  wanted: { readonly newestId: string; readonly after: string | undefined; readonly limit: number },
): Promise<StoredKey[]> {
  const rows = await sql<RawKey[]>`
    select ${keyColumns(sql)} from encryption_keys k
    where k.tenant_id = ${tenantId} and k.purpose in ('session', 'data', 'search') and k.destroyed_at is null
      and k.wrapped_by <> ${wanted.newestId}
      ${wanted.after === undefined ? sql`` : sql`and k.id > ${wanted.after}::uuid`}
    order by k.id limit ${wanted.limit}`
  return rows.map(keyFromRow)
}

/** Stores keys in their new wrapping; what was destroyed or wrapped anew meanwhile stays as it is. */
export async function storeRewrapped(sql: Queries, tenantId: number, keys: readonly RewrappedKey[]): Promise<void> {
  const rows = keys.map(({ id, wrapped, wrappedBy, formerly }) => ({
    id,
    w: wrapped.toString('base64'),
    by: wrappedBy,
    was: formerly,
  }))
  await sql`
    update encryption_keys k set wrapped = decode(new.w, 'base64'), wrapped_by = new.by, rotated_at = now()
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as new(id uuid, w text, by text, was text)
    where k.tenant_id = ${tenantId} and k.id = new.id and k.wrapped_by = new.was and k.destroyed_at is null`
}

/**
 * Destroys the keys of a tenant that are older than its newest one and wrap nothing any more. False where one of them still
 * wraps something: it was made a moment ago.
 */
export async function destroyOldTenantKeys(sql: TransactionSql, tenantId: number, newestId: string): Promise<boolean> {
  // Locked before it is looked whether they wrap anything: who wraps something by one of them holds it too (`insertKey`).
  await sql`
    select from encryption_keys
    where tenant_id = ${tenantId} and purpose = 'tenant' and destroyed_at is null and id <> ${newestId}::uuid for update`
  await sql`
    update encryption_keys k set wrapped = null, destroyed_at = now()
    where k.tenant_id = ${tenantId} and k.purpose = 'tenant' and k.destroyed_at is null and k.id <> ${newestId}::uuid
      and not exists (
        select from encryption_keys c
        where c.tenant_id = k.tenant_id and c.purpose <> 'tenant' and c.destroyed_at is null and c.wrapped_by = k.id::text)`
  const rows = await sql`
    select from encryption_keys
    where tenant_id = ${tenantId} and purpose = 'tenant' and destroyed_at is null and id <> ${newestId}::uuid`
  return rows.length === 0
}

/** Tells the planner how many keys there are: with a guess, each page reads all of them (measured: 435 ms for 1,000, and then 43). */
export async function countKeysForPlanner(sql: Queries): Promise<void> {
  await sql`analyze encryption_keys`
}

/**
 * Frees what an update leaves behind, keys in their old wrapping. Not `full`: that would wait for whoever works with keys for long,
 * as the archive does, and all who come later would wait behind it.
 */
export async function forgetOldWrappings(sql: Queries): Promise<void> {
  await sql`vacuum (analyze) encryption_keys`
}
