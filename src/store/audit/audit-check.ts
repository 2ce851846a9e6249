import type { Queries } from '../rows.ts'
import { auditColumns, type AuditRow } from './audit-rows.ts'

/** The rows of a tenant that are there, of some. Uses the primary key. */
export async function auditRowsById(sql: Queries, tenantId: number, ids: readonly number[]): Promise<AuditRow[]> {
  return await sql<AuditRow[]>`
    select ${auditColumns(sql)} from jsonb_array_elements_text(${JSON.stringify(ids)}::text::jsonb) wanted (id)
    join audit_log a on a.tenant_id = ${tenantId} and a.id = wanted.id::bigint`
}

export interface UnsealedRow {
  readonly id: number
  /** Whether sealing has passed it: it was not there then, although it says so. */
  readonly wasPassed: boolean
}

/** Rows that no seal holds, by their numbers, and how many there are. */
export async function unsealedRows(
  sql: Queries,
  tenantId: number,
  limit: number,
): Promise<{ readonly rows: readonly UnsealedRow[]; readonly count: number; readonly waiting: number }> {
  const rows = await sql<{ id: string; passed: boolean; count: string; waiting: string }[]>`
    with unsealed as materialized (
      select id from audit_log where tenant_id = ${tenantId}
      except select unnest(row_ids) from audit_seals where tenant_id = ${tenantId}
    ), judged as materialized (
      select a.id, s.sealed_snapshot is not null
          and (a.id <= s.floor_id or pg_visible_in_snapshot(a.written_in, s.sealed_snapshot::pg_snapshot)) as passed
      from unsealed u join audit_log a on a.tenant_id = ${tenantId} and a.id = u.id, audit_sealing s
    )
    select id, passed, count(*) over () as count, count(*) filter (where not passed) over () as waiting
    from judged order by passed desc, id limit ${limit}`
  return {
    rows: rows.map(({ id, passed }) => ({ id: Number(id), wasPassed: passed })),
    count: Number(rows[0]?.count ?? 0),
    waiting: Number(rows[0]?.waiting ?? 0),
  }
}
