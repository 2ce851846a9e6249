import { sha256 } from '../model/messages/payload.ts'
import type { SessionRow, SessionRows, TranscriptEvent } from './format.ts'

const pageRows = 1_000

/** The rows of a document, whose entries have to be read for it. */
export async function* rowsOfEvents(events: AsyncIterable<TranscriptEvent>): AsyncGenerator<SessionRows> {
  let session = ''
  let rows: SessionRow[] = []
  for await (const event of events) {
    if (event.type !== 'entry') continue
    if (rows.length === pageRows || (event.session !== session && rows.length > 0)) {
      yield { session, rows }
      rows = []
    }
    session = event.session
    const { id, bytes, timestamp } = event
    const writtenAtMs = timestamp === undefined ? undefined : Date.parse(timestamp)
    rows.push(id === undefined ? { sha256: sha256(bytes), writtenAtMs } : { id, writtenAtMs })
  }
  if (rows.length > 0) yield { session, rows }
}
