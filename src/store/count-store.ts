import type { Sql } from 'postgres'

import type { Viewer } from '../model/access.ts'
import { andOpen } from './access/session-access.ts'

/** How much the store holds. */
export async function countStore(
  sql: Sql,
  viewer: Viewer,
): Promise<{ sessions: number; messages: number; payloadBytes: number }> {
  const rows = await sql<{ sessions: string; messages: string; bytes: string }[]>`
    select count(*) as sessions, coalesce(sum(message_count), 0) as messages, coalesce(sum(payload_bytes), 0) as bytes
    from sessions where tenant_id = ${viewer.tenantId} ${andOpen(sql, viewer, 'list')}`
  const row = rows[0]
  return {
    sessions: Number(row?.sessions ?? 0),
    messages: Number(row?.messages ?? 0),
    payloadBytes: Number(row?.bytes ?? 0),
  }
}
