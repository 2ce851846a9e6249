import type { Queries } from '../rows.ts'

/** A piece of work that no worker takes: it says that a restore has begun and has not ended. */
const restoreTopic = 'restore'

/** `empty`: nothing was ever saved. `begun`: a restore was interrupted. */
export type StoreState = 'empty' | 'begun' | 'in use'

/** Marks an empty store as one that is being restored, and says what it was before. */
export async function beginRestore(sql: Queries, tenantId: number): Promise<StoreState> {
  const [row] = await sql<{ begun: boolean; used: boolean }[]>`
    select exists (select from outbox where topic = ${restoreTopic}) as begun,
      exists (select from sessions) or exists (select from messages) or exists (select from import_files) as used`
  if (row?.begun === true) return 'begun'
  if (row?.used === true) return 'in use'
  await sql`insert into outbox (tenant_id, topic) values (${tenantId}, ${restoreTopic})`
  return 'empty'
}

export async function endRestore(sql: Queries): Promise<void> {
  await sql`delete from outbox where topic = ${restoreTopic}`
}

/** Makes a tenant that the archive knows and the store does not. */
export async function ensureTenant(sql: Queries, tenantId: number): Promise<void> {
  await sql`insert into tenants (id, name) values (${tenantId}, ${`restored ${tenantId}`}) on conflict do nothing`
  await sql`select setval(pg_get_serial_sequence('tenants', 'id'), (select max(id) from tenants))`
}
