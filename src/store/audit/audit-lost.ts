import type { Queries, Transaction } from '../rows.ts'
import { writeAudit } from './audit-log.ts'

/** So many rows of a tenant were lost. */
export interface LostCount {
  readonly tenantId: number
  readonly count: number
}

/** Says in a tenant's record that rows of it are missing, and how many. */
export async function writeLost(sql: Queries, { tenantId, count }: LostCount): Promise<void> {
  const nobody = { tenantId, principal: 'verbatim', client: 'verbatim' }
  await writeAudit(sql, nobody, { action: 'audit.lost', outcome: 'failed', count })
}

/** Keeps how many were lost until the log takes a row again. The same `id` is kept once. */
export async function keepLost(sql: Queries, lost: readonly (LostCount & { readonly id: string })[]): Promise<void> {
  await sql`
    insert into audit_lost (tenant_id, id, count)
    select "tenantId", id, count
    from jsonb_to_recordset(${JSON.stringify(lost)}::text::jsonb) as l("tenantId" int, id uuid, count bigint)
    on conflict do nothing`
}

export async function isLostKept(sql: Queries): Promise<boolean> {
  return (await sql`select from audit_lost limit 1`).length > 0
}

/** How many rows of a tenant were lost of which its record does not say so yet. */
export async function countKeptLost(sql: Queries, tenantId: number): Promise<number> {
  const rows = await sql<{ count: string }[]>`
    select coalesce(sum(count), 0) as count from audit_lost where tenant_id = ${tenantId}`
  return Number(rows[0]?.count ?? 0)
}

/** Says in each tenant's record what was kept of it, and keeps it no more. */
export async function writeKeptLost(sql: Transaction): Promise<void> {
  const kept = await sql<{ tenant_id: number; count: string }[]>`
    with taken as (delete from audit_lost returning tenant_id, count)
    select tenant_id, sum(count) as count from taken group by tenant_id order by tenant_id`
  for (const { tenant_id: tenantId, count } of kept) await writeLost(sql, { tenantId, count: Number(count) })
}
