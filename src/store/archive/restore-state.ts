import { UnavailableError } from '../../errors.ts'
import type { Queries } from '../rows.ts'

/** A piece of work that no worker takes: it says that a restore has begun and has not ended. */
const restoreTopic = 'restore'

/** `empty`: nothing was ever saved. `begun`: a restore was interrupted. */
export type StoreState = 'empty' | 'begun' | 'in use'

/** Marks an empty store as one that is being restored, and says what it was before. */
export async function beginRestore(sql: Queries, tenantId: number): Promise<StoreState> {
  // Whoever looked whether a restore goes on, and found none, is done.
  await sql`select pg_advisory_xact_lock(hashtext(${restoreTopic}))`
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

/** Until the transaction ends no restore begins. Throws UnavailableError where one has begun and has not ended. */
export async function refuseWhileRestoring(sql: Queries): Promise<void> {
  await sql`select pg_advisory_xact_lock_shared(hashtext(${restoreTopic}))`
  const rows = await sql`select from outbox where topic = ${restoreTopic} limit 1`
  if (rows.length > 0)
    throw new UnavailableError('Cannot erase a large payload as a restore has begun that may need it', {
      remedy: 'It goes on by itself when the restore is done; run "verbatim restore" again where that was interrupted',
    })
}

/** Makes a tenant that the archive knows and the store does not. */
export async function ensureTenant(sql: Queries, tenantId: number): Promise<void> {
  await sql`insert into tenants (id, name) values (${tenantId}, ${`restored ${tenantId}`}) on conflict do nothing`
  await sql`select setval(pg_get_serial_sequence('tenants', 'id'), (select max(id) from tenants))`
}
