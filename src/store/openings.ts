import type { Viewer } from '../model/access.ts'
import { andOpen } from './access/session-access.ts'
import { andUsable } from './access/usable.ts'
import { readPlaces, type MessageRow, type MessageSource } from './messages.ts'

/** A conversation that nobody opens within so many messages is not told by how it began. */
const lastSeq = 20
/** A pasted file does not tell what is asked. */
const payloadBytesMax = 65_536

/**
 * Of each session, the message that it began with: the first of a person, or else of the assistant. Of what may be used alone, and only
 * where the viewer may read; in no promised order. Uses the primary key of messages, at most so many rows a session.
 */
export async function readOpenings(
  database: MessageSource,
  viewer: Viewer,
  sessionIds: readonly string[],
): Promise<MessageRow[]> {
  if (sessionIds.length === 0) return []
  const { tenantId } = viewer
  const places = await database.run(
    (sql) => sql<{ session_id: string; seq: string }[]>`
    select sessions.id as session_id, opening.seq from sessions cross join lateral (
      select messages.seq from messages
      where messages.tenant_id = ${tenantId} and messages.session_id = sessions.id and messages.seq <= ${lastSeq}
        and kind = 'message' and role in ('user', 'assistant') and payload_location is null and payload_bytes <= ${payloadBytesMax}
        ${andUsable(sql, tenantId)}
      order by role = 'assistant', messages.seq limit 1) opening
    where sessions.tenant_id = ${tenantId} and sessions.id = any(${[...sessionIds]}::uuid[]) ${andOpen(sql, viewer, 'read')}`,
  )
  const wanted = places.map((place) => ({ sessionId: place.session_id, seq: Number(place.seq) }))
  return await readPlaces(database, tenantId, { places: wanted, withFlags: false })
}
