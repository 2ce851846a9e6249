import { auditColumns, type AuditRow } from './audit-rows.ts'
import type { Queries } from './rows.ts'

export interface AuditSpan {
  readonly since: string | undefined
  readonly until: string | undefined
}

/** Rows of a tenant by their numbers, within a span of time. Uses the primary key. */
export async function readAuditRows(
  sql: Queries,
  tenantId: number,
  { since, until, after, limit }: AuditSpan & { readonly after: number; readonly limit: number },
): Promise<AuditRow[]> {
  return await sql<AuditRow[]>`
    select ${auditColumns(sql)} from audit_log a
    where a.tenant_id = ${tenantId} and a.id > ${after}
      and a.at >= coalesce(${since ?? null}::text::timestamptz, '-infinity')
      and a.at < coalesce(${until ?? null}::text::timestamptz, 'infinity')
    order by a.id limit ${limit}`
}

/**
 * Rows of what was done with a session or shown of it; where a message is named by its number, those that showed it or
 * changed the session as a whole. Looks at every row of the tenant.
 */
export async function readAccesses(
  sql: Queries,
  tenantId: number,
  about: AuditSpan & { readonly sessionId: string; readonly seq: number | undefined },
): Promise<AuditRow[]> {
  const { sessionId, seq, since, until } = about
  return await sql<AuditRow[]>`
    select ${auditColumns(sql)} from audit_log a
    where a.tenant_id = ${tenantId}
      and a.at >= coalesce(${since ?? null}::text::timestamptz, '-infinity')
      and a.at < coalesce(${until ?? null}::text::timestamptz, 'infinity')
      and case when ${seq ?? null}::bigint is null then
        a.object_id = ${sessionId} or exists (select from unnest(a.objects) o where left(o, 36) = ${sessionId})
      else exists (
        select from unnest(a.objects) o where left(o, 36) = ${sessionId}
          and ${seq ?? null}::bigint between split_part(substr(o, 38), '-', 1)::bigint and split_part(substr(o, 38), '-', 2)::bigint
          and substr(o, 38) <> ''
      ) end
    order by a.id`
}
