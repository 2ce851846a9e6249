import type { Viewer } from '../../model/access.ts'
import type { Database } from '../database.ts'
import { andOpen } from './session-access.ts'
import { andUsable } from './usable.ts'

/** A message by its place. */
interface Place {
  readonly sessionId: string
  readonly seq: number
}

/** Of some places that were found before those whose messages the viewer may use now, in their order. */
export async function usablePlaces<P extends Place>(
  database: Database,
  viewer: Viewer,
  places: readonly P[],
): Promise<P[]> {
  if (places.length === 0) return []
  const { tenantId } = viewer
  const wanted = JSON.stringify(places.map(({ sessionId: s, seq: q }) => ({ s, q })))
  const rows = await database.run(
    (sql) => sql<{ session_id: string; seq: string }[]>`
      select messages.session_id, messages.seq
      from jsonb_to_recordset(${wanted}::text::jsonb) as wanted(s uuid, q bigint)
      join messages on messages.tenant_id = ${tenantId} and messages.session_id = wanted.s and messages.seq = wanted.q
      where messages.kind <> 'erased'
        and exists (select from sessions where sessions.tenant_id = ${tenantId} and sessions.id = messages.session_id ${andOpen(sql, viewer, 'read')})
        ${andUsable(sql, tenantId)}`,
  )
  const usable = new Set(rows.map((row) => `${row.session_id} ${row.seq}`))
  return places.filter(({ sessionId, seq }) => usable.has(`${sessionId} ${seq}`))
}
