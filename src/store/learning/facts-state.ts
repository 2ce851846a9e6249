import type { Sql } from 'postgres'

/** What is another whenever something was learned, changed by hand or went. */
export async function factsState(sql: Sql, tenantId: number): Promise<string> {
  const [row] = await sql<{ state: string }[]>`
    select concat_ws(' ', count(*), max(created_at), max(changed_at), max(deleted_at)) as state from facts where tenant_id = ${tenantId}`
  return row?.state ?? ''
}
