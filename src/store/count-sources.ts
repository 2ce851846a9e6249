import type { Sql } from 'postgres'

import type { Viewer } from '../model/access.ts'
import { andOpen } from './access/session-access.ts'

/** What the store holds of one source: `mcp` is what clients save themselves. */
export interface StoredSource {
  readonly source: string
  readonly sessions: number
  readonly messages: number
  /** ISO 8601: the time of the newest message. */
  readonly last_active_at: string
}

/** What the viewer may see of each source, the largest first. */
export async function countSources(sql: Sql, viewer: Viewer): Promise<StoredSource[]> {
  const rows = await sql<{ source: string; sessions: string; messages: string; last: Date | string }[]>`
    select source, count(*) as sessions, coalesce(sum(message_count), 0) as messages, max(last_active_at) as last
    from sessions where tenant_id = ${viewer.tenantId} ${andOpen(sql, viewer, 'list')}
    group by source order by messages desc, source`
  return rows.map((row) => ({
    source: row.source,
    sessions: Number(row.sessions),
    messages: Number(row.messages),
    last_active_at: new Date(row.last).toISOString(),
  }))
}
