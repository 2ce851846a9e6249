import type { Sql } from 'postgres'

import type { Queries } from './rows.ts'
import type { NameFilter } from './score-units.ts'

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

/** A session, or those that have some tags, with how many messages each has; at most `limit`. */
export async function sessionSizes(
  sql: Queries,
  tenantId: number,
  wanted: {
    readonly sessionId?: string | undefined
    readonly tags?: NameFilter | undefined
    readonly limit: number
  },
): Promise<{ readonly id: string; readonly messages: number }[]> {
  const { sessionId, tags = { any: [], none: [] } } = wanted
  const rows = await sql<{ id: string; messages: string }[]>`
    select id, message_count as messages from sessions where tenant_id = ${tenantId}
      ${sessionId === undefined ? sql`` : sql`and id = ${sessionId}`}
      and tags @> array(select jsonb_array_elements_text(${JSON.stringify(tags.any)}::text::jsonb))
      and not tags && array(select jsonb_array_elements_text(${JSON.stringify(tags.none)}::text::jsonb)) limit ${wanted.limit}`
  return rows.map(({ id, messages }) => ({ id, messages: Number(messages) }))
}
