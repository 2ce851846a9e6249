import { createHash } from 'node:crypto'

import { unzstd } from '../bytes/zstd.ts'
import { damaged, EventBuilder } from '../entry-builder.ts'
import { field, textField } from '../fields.ts'
import type { TranscriptDocument, TranscriptEvent } from '../format.ts'
import { jsonlEvents } from '../jsonl-document.ts'
import type { OpenclawDatabase } from './openclaw-database.ts'
import { isIncognitoKey, OpenclawRows, openclawParentId, openclawSessionId } from './openclaw-rows.ts'

/** One table that holds whole transcripts as blobs, with the columns that differ between the two. */
const sources = [
  {
    table: 'session_transcript_archives',
    query: `select session_id, session_key, archive_name, archive_sha256, encoding, archive_blob
      from session_transcript_archives where archive_name = ?`,
    names: 'select archive_name from session_transcript_archives order by created_at, archive_name',
  },
  {
    // Cold archives in files of their own are found as files; only those inside the database are read here.
    table: 'session_transcript_cold_archives',
    query: `select c.session_id, w.session_key, c.archive_name, c.archive_sha256, 'zstd' as encoding, c.archive_blob
      from session_transcript_cold_archives c left join session_windows w on w.session_id = c.session_id where c.archive_name = ?`,
    names: `select archive_name from session_transcript_cold_archives where archive_blob is not null order by archived_at, archive_name`,
  },
] as const

/** The transcripts of deleted, reset and cold sessions that the database keeps: one document each, named by the archive. */
export async function* openclawArchives(database: OpenclawDatabase, agent: string): AsyncGenerator<TranscriptDocument> {
  for (const source of sources) {
    if (!database.tables.has(source.table)) continue
    for (const row of database.rows(source.names)) {
      const name = textField(row, 'archive_name')
      if (name === undefined) continue
      const [archive] = database.rows(source.query, [name])
      if (!isIncognitoKey(textField(archive, 'session_key'))) yield { name, events: archiveEvents(archive, agent) }
    }
  }
}

async function* archiveEvents(archive: unknown, agent: string): AsyncGenerator<TranscriptEvent> {
  const session = openclawSessionId(agent, String(field(archive, 'session_id')))
  const blob = field(archive, 'archive_blob')
  const stored = blob instanceof Uint8Array ? blob : new Uint8Array()
  const { bytes, problem } = decode(archive, stored)
  if (problem !== undefined) {
    yield* new EventBuilder().entry({ session, before: new Uint8Array(), bytes }, damaged(problem))
    yield { type: 'end', after: new Uint8Array() }
    return
  }
  const rows = new OpenclawRows({
    fallback: session,
    name: () => session,
    parent: (reference) => openclawParentId(agent, reference),
    parentIsKept: false,
  })
  yield* jsonlEvents(once(bytes), rows)
}

function decode(archive: unknown, stored: Uint8Array): { readonly bytes: Uint8Array; readonly problem?: string } {
  const sha256 = createHash('sha256').update(stored).digest('hex')
  if (sha256 !== textField(archive, 'archive_sha256'))
    return { bytes: stored, problem: 'The archive does not match its SHA-256' }
  if (field(archive, 'encoding') !== 'zstd') return { bytes: stored }
  try {
    return { bytes: unzstd(stored) }
  } catch {
    // The decoder's message adds nothing to this, and the archive itself is kept.
    return { bytes: stored, problem: 'The archive does not decompress' }
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
