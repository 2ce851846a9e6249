import { basename } from 'node:path'

import { damaged, EventBuilder } from '../entry-builder.ts'
import { field } from '../fields.ts'
import type { TranscriptDocument, TranscriptEvent, TranscriptFormat } from '../format.ts'
import { parseJson, utf8 } from '../json/json-value.ts'
import { rowEvents } from '../jsonl-document.ts'
import { openclawArchives } from './openclaw-archives.ts'
import { openOpenclawDatabase, type OpenclawDatabase } from './openclaw-database.ts'
import { rowBytes, storedRows } from './openclaw-events.ts'
import { agentOf, openclawHomes } from './openclaw-jsonl.ts'
import { OpenclawRows, openclawParentId } from './openclaw-rows.ts'
import { rowsOfDatabase } from './openclaw-session-rows.ts'
import { openclawSessions, type StoredSession } from './openclaw-sessions.ts'

const nothing = new Uint8Array()
const newline = Uint8Array.of(0x0a)

/**
 * OpenClaw's database, from 2026.8. One document a session: its events as JSONL lines, each with its newline. Sessions in
 * incognito mode give no document. Documents must be read before the next one is asked for.
 */
export const openclawSqlite: TranscriptFormat = {
  name: 'openclaw',
  label: 'OpenClaw',
  detect: ({ path, head }) => {
    // By its name also where its beginning is damaged: to be passed over as no transcript would say nothing of the damage.
    if (head.length > 0 && /^openclaw-agent\b.*\.sqlite$/u.test(basename(path))) return 0.95
    if (!utf8(head.subarray(0, 16)).startsWith('SQLite format 3')) return 0
    return utf8(head).includes('transcript_events') ? 0.9 : 0
  },
  async *documents(path): AsyncGenerator<TranscriptDocument> {
    await using database = await openOpenclawDatabase(path)
    const agent = database.agentId ?? agentOf(path)
    markCopies(database)
    for (const session of openclawSessions(database, agent))
      yield { name: session.sessionId, events: sessionEvents(database, session) }
    yield* openclawArchives(database, agent)
  },
  sessionRows: rowsOfDatabase,
  places: (home, environment) =>
    openclawHomes(home, environment).map((state) => ({
      path: `${state}/agents`,
      match: /\/agent\/openclaw-agent\.sqlite$/u,
    })),
}

/**
 * A fork or a rewind copies its parent's rows with their ids. The oldest session that holds a row owns it. The parent id is
 * compared too, because short ids of unrelated sessions may coincide.
 */
function markCopies(database: OpenclawDatabase): void {
  database.rows(
    'create temp table copies (session_id text, event_id text, primary key (session_id, event_id)) without rowid',
  )
  if (!database.tables.has('transcript_event_identities')) return
  database.rows(`
    insert into copies select session_id, event_id from (
      select i.session_id, i.event_id, row_number() over (
        partition by i.event_id, i.parent_id, i.event_type order by w.created_at, i.session_id) as place
      from transcript_event_identities i left join session_windows w on w.session_id = i.session_id)
    where place > 1`)
}

async function* sessionEvents(database: OpenclawDatabase, session: StoredSession): AsyncGenerator<TranscriptEvent> {
  const events = new EventBuilder()
  const id = session.head.id
  const rows = new OpenclawRows({
    fallback: id,
    // The row's key is the session's name even where a header disagrees.
    name: () => id,
    parent: (reference) => openclawParentId(session.agent, reference),
    parentIsKept: false,
  })
  const copies = new Set(
    database
      .rows('select event_id from temp.copies where session_id = ?', [session.sessionId])
      .map((row) => field(row, 'event_id')),
  )
  yield* events.session(session.head)
  let before = nothing
  for (const row of storedRows(database, session.sessionId)) {
    const { bytes, problem } = rowBytes(row)
    const parsed = problem === undefined ? parseJson(bytes) : undefined
    if (parsed?.ok === true) {
      const meaning = rows.read(parsed.value)
      const entry = copies.has(meaning.entry.id) ? { ...meaning.entry, copied: true } : meaning.entry
      yield* rowEvents({ before, bytes }, { ...meaning, entry }, events)
    } else {
      yield* events.entry({ session: id, before, bytes }, damaged(problem ?? 'Not valid JSON'))
    }
    before = newline
  }
  yield { type: 'end', after: before }
}
