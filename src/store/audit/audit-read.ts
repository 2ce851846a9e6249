import type { Queries } from '../rows.ts'
import { auditColumns, type AuditRow } from './audit-rows.ts'

/** ISO 8601; from the first, before the second. */
export interface AuditSpan {
  readonly since?: string | undefined
  readonly until?: string | undefined
}

/** What somebody did or was shown: a session, and where `seq` is given one of its messages. */
export interface AuditSubject {
  readonly sessionId: string
  readonly seq?: number | undefined
}

/** With the name of the token, where it is still known: a name may be given twice, the id tells them apart. */
export type ReadAuditRow = AuditRow & { readonly token: string | null }

/**
 * Rows of a tenant in the order of their numbers, a page of them. Of a subject those that did something to it or showed it;
 * of one message those that showed it, and deeds, which are about the session as a whole. Uses the primary key.
 */
export async function readAuditRows(
  sql: Queries,
  tenantId: number,
  page: AuditSpan & { readonly subject?: AuditSubject | undefined; readonly after: number; readonly limit: number },
): Promise<ReadAuditRow[]> {
  const { since = '-infinity', until = 'infinity', subject, after, limit } = page
  return await sql<ReadAuditRow[]>`
    select ${auditColumns(sql)}, t.name as token
    from audit_log a left join access_tokens t on t.tenant_id = ${tenantId} and t.id = a.token_id
    where a.tenant_id = ${tenantId} and a.id > ${after} and a.at >= ${since}::text::timestamptz and a.at < ${until}::text::timestamptz
      ${subject === undefined ? sql`` : sql`and ${isAbout(sql, subject)}`}
    order by a.id limit ${limit}`
}

/** Objects are written as `<session>` or `<session>/<first>-<last>`. */
function isAbout(sql: Queries, { sessionId, seq }: AuditSubject) {
  // One look at all of a row's objects, which takes half of the time of a look at each of them.
  const named = sql`strpos(array_to_string(a.objects, ' '), ${sessionId}) > 0`
  if (seq === undefined) return sql`(a.object_id = ${sessionId} or ${named})`
  return sql`((a.object_id = ${sessionId} and a.action not like 'call.%') or ${named} and exists (
    select from unnest(a.objects) o where starts_with(o, ${`${sessionId}/`})
      and ${seq}::bigint between split_part(split_part(o, '/', 2), '-', 1)::bigint and split_part(split_part(o, '/', 2), '-', 2)::bigint))`
}
