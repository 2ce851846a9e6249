import type { Queries } from '../rows.ts'

/**
 * Until the end of the transaction: what was erased elsewhere is learned while nothing comes from other stores, so that nothing comes that
 * was not looked for, and no message comes whose erasure was not seen.
 */
export async function lockArrivals(sql: Queries, tenantId: number, mode: 'shared' | 'exclusive'): Promise<void> {
  const lock = mode === 'shared' ? sql`pg_advisory_xact_lock_shared` : sql`pg_advisory_xact_lock`
  await sql`select ${lock}(hashtext('arrivals'), ${tenantId})`
}
