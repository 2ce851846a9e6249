import type { Queries } from '../rows.ts'

/**
 * The erasures that are to be known at every store, with how many tombstones each has. What retention has removed is gone from
 * this store alone: how long something is kept is each store's own. What was erased again has a tombstone of the first time.
 */
export async function sharedErasures(
  sql: Queries,
  tenantId: number,
): Promise<{ readonly id: string; readonly tombstones: number }[]> {
  const rows = await sql<{ id: string; tombstones: string }[]>`
    select t.erasure_id as id, count(*) as tombstones from tombstones t
    left join erasures e on e.tenant_id = t.tenant_id and e.id = t.erasure_id
    where t.tenant_id = ${tenantId} and not t.is_local and t.kind <> 'entry' and coalesce(e.scope not in ('retention', 'repetition'), true)
    group by t.erasure_id order by t.erasure_id`
  return rows.map(({ id, tombstones }) => ({ id, tombstones: Number(tombstones) }))
}

/** Of how many sessions something is still to be erased or anonymised, or whether it is so of one. */
export async function countErasing(sql: Queries, tenantId: number, sessionId?: string): Promise<number> {
  const [row] = await sql<{ sessions: string }[]>`
    select count(distinct session_id) as sessions from outbox
    where tenant_id = ${tenantId} and topic = 'erase' and details->>'rowsErased' is distinct from 'true'
      ${sessionId === undefined ? sql`` : sql`and session_id = ${sessionId}`}`
  return Number(row?.sessions ?? 0)
}
