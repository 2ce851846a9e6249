import { andUsable } from './access/usable.ts'
import { readPlaces, type MessageRow, type MessageSource } from './messages.ts'

/** Neighbours larger than this are left out: context is to be read at a glance. */
const neighbourBytesMax = 256 * 1024

/** Between a message and its neighbour stand at most this many entries that are no turns: tool events, markers. */
export const nearSeqMax = 50

/** A message by its place. */
interface Place {
  readonly sessionId: string
  readonly seq: number
}

/** What is near: turns only that may be used, at most `each` on either side of each place. */
interface Around {
  readonly places: readonly Place[]
  readonly each: number
  /** Only those before. */
  readonly before?: boolean
}

/** The nearest messages before and after each of some places. */
export async function readNeighbours(database: MessageSource, tenantId: number, around: Around): Promise<MessageRow[]> {
  const places = await neighbouringPlaces(database, tenantId, around)
  return places.length === 0 ? [] : await readPlaces(database, tenantId, { places })
}

/** Where they are. */
export async function neighbouringPlaces(database: MessageSource, tenantId: number, around: Around): Promise<Place[]> {
  if (around.each === 0 || around.places.length === 0) return []
  const wanted = JSON.stringify(around.places.map((place) => ({ s: place.sessionId, q: place.seq })))
  const near = await database.run(
    (sql) => sql<{ session_id: string; seq: string }[]>`
    select distinct near.session_id, near.seq
    from jsonb_to_recordset(${wanted}::text::jsonb) as wanted(s uuid, q bigint), lateral (
      (select session_id, seq from messages
       where tenant_id = ${tenantId} and session_id = wanted.s and seq between wanted.q - ${nearSeqMax} and wanted.q - 1 and kind = 'message' and payload_bytes <= ${neighbourBytesMax}
         ${andUsable(sql, tenantId)}
       order by seq desc limit ${around.each})
      ${
        around.before === true
          ? sql``
          : sql`union all
      (select session_id, seq from messages
       where tenant_id = ${tenantId} and session_id = wanted.s and seq between wanted.q + 1 and wanted.q + ${nearSeqMax} and kind = 'message' and payload_bytes <= ${neighbourBytesMax}
         ${andUsable(sql, tenantId)}
       order by seq limit ${around.each})`
      }
    ) near`,
  )
  return near.map((row) => ({ sessionId: row.session_id, seq: Number(row.seq) }))
}
