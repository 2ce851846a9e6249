import type { Sql } from 'postgres'

/** When some facts were last changed by hand. Those that were deleted, corrected or erased are absent. */
export async function factsState(sql: Sql, tenantId: number, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map()
  const rows = await sql<{ id: string; changed: string }[]>`
    select id, coalesce(changed_at::text, '') as changed from facts
    where tenant_id = ${tenantId} and id in (select jsonb_array_elements_text(${JSON.stringify(ids)}::text::jsonb)::uuid)
      and deleted_at is null and superseded_by is null`
  return new Map(rows.map((row) => [row.id, row.changed]))
}
