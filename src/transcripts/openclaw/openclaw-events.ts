import { unzstd } from '../bytes/zstd.ts'
import { field } from '../fields.ts'
import type { OpenclawDatabase } from './openclaw-database.ts'

/** Rows are at most 4 MiB each, so a page stays below 256 MiB. */
const pageRows = 64
const nothing = new Uint8Array()

/** The rows of a session in order, page by page. The cast gives a text's exact bytes, which a string would not. */
export function* storedRows(database: OpenclawDatabase, sessionId: string): Generator {
  const query = `select ${columnsOf(database)} from transcript_events where session_id = ? and seq > ? order by seq limit ${pageRows}`
  let last = -1
  for (;;) {
    const page = database.rows(query, [sessionId, last])
    yield* page
    const seq = field(page.at(-1), 'seq')
    if (typeof seq !== 'number' || page.length < pageRows) return
    last = seq
  }
}

/** One row of a session, by its number. */
export function storedRow(database: OpenclawDatabase, sessionId: string, seq: number): unknown {
  const query = `select ${columnsOf(database)} from transcript_events where session_id = ? and seq = ?`
  return database.rows(query, [sessionId, seq])[0]
}

function columnsOf(database: OpenclawDatabase): string {
  const columns = database.rows('pragma table_info(transcript_events)').map((column) => field(column, 'name'))
  const zstd = columns.includes('event_zstd')
    ? 'event_zstd, event_utf8_bytes'
    : 'null as event_zstd, null as event_utf8_bytes'
  return `seq, cast(event_json as blob) as json, ${zstd}`
}

/** The event's own bytes. Where they cannot be had, the stored ones are kept instead and the problem is named. */
export function rowBytes(row: unknown): { readonly bytes: Uint8Array; readonly problem?: string } {
  const json = field(row, 'json')
  if (json instanceof Uint8Array) return { bytes: json }
  const frame = field(row, 'event_zstd')
  if (!(frame instanceof Uint8Array)) return { bytes: nothing, problem: 'The row holds no event' }
  try {
    const bytes = unzstd(frame)
    if (bytes.length === field(row, 'event_utf8_bytes')) return { bytes }
    return { bytes: frame, problem: 'The decompressed event has another size than the database says' }
  } catch {
    // The decoder's message adds nothing to this, and the frame itself is kept.
    return { bytes: frame, problem: 'The compressed event does not decompress' }
  }
}
