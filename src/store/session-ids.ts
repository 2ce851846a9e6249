import type { Sql } from 'postgres'

import type { Viewer } from '../model/access.ts'
import { sessionConditions, type UnitFilter } from './search/unit-filter.ts'
import { text } from './sql-text.ts'

/** A session and the number of its last message. */
export interface SessionExtent {
  readonly id: string
  readonly lastSeq: number
}

/**
 * All sessions, a page at a time by id. An id never changes, so a walk misses no session that was there when it began,
 * whatever is saved meanwhile. Uses the primary key.
 */
export async function sessionExtents(
  sql: Sql,
  tenantId: number,
  page: { readonly after?: string | undefined; readonly limit: number },
): Promise<SessionExtent[]> {
  const rows = await sql<{ id: string; last_seq: string }[]>`
    select id, last_seq from sessions
    where tenant_id = ${tenantId} ${page.after === undefined ? sql`` : sql`and id > ${page.after}::uuid`}
    order by id limit ${page.limit}`
  return rows.map((row) => ({ id: row.id, lastSeq: Number(row.last_seq) }))
}

/** Which sessions a filter names, those that may be found at all, with how many messages each has; at most `limit`. */
export async function sessionSizes(
  sql: Sql,
  viewer: Viewer,
  wanted: { readonly filter: UnitFilter; readonly limit: number },
): Promise<{ readonly id: string; readonly messages: number }[]> {
  const { filter, limit } = wanted
  const only = filter.sessionId === undefined ? text`` : text`and s.id = ${filter.sessionId}::text::uuid`
  const statement = text`
    select s.id, s.message_count as messages from sessions s
    where s.tenant_id = ${viewer.tenantId} ${only} and ${sessionConditions(viewer, filter)} limit ${limit}`.toStatement()
  const rows = await sql.unsafe<{ id: string; messages: string }[]>(statement.text, statement.values)
  return rows.map(({ id, messages }) => ({ id, messages: Number(messages) }))
}
