import { basename } from 'node:path'

import { unzstd } from '../bytes/zstd.ts'
import { damaged, EventBuilder, type SessionDraft } from '../entry-builder.ts'
import { field, textField } from '../fields.ts'
import type { TranscriptDocument, TranscriptEvent, TranscriptFormat } from '../format.ts'
import { parseJson, utf8 } from '../json/json-value.ts'
import { rowEvents } from '../jsonl-document.ts'
import { openclawArchives } from './openclaw-archives.ts'
import { openOpenclawDatabase, type OpenclawDatabase } from './openclaw-database.ts'
import { agentOf, openclawHomes } from './openclaw-jsonl.ts'
import { isIncognitoKey, OpenclawRows, openclawParentId, openclawSessionId } from './openclaw-rows.ts'
import { sessionHead } from './openclaw-store.ts'

/** Rows are at most 4 MiB each, so a page stays below 256 MiB. */
const pageRows = 64
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
    if (!utf8(head.subarray(0, 16)).startsWith('SQLite format 3')) return 0
    if (/^openclaw-agent\b.*\.sqlite$/u.test(basename(path))) return 0.95
    return utf8(head).includes('transcript_events') ? 0.9 : 0
  },
  async *documents(path): AsyncGenerator<TranscriptDocument> {
    await using database = await openOpenclawDatabase(path)
    const agent = database.agentId ?? agentOf(path)
    markCopies(database)
    for (const row of database.rows(sessionsQuery)) {
      const session = readSession(row, agent, database)
      if (session !== undefined) yield { name: session.sessionId, events: sessionEvents(database, session) }
    }
    yield* openclawArchives(database, agent)
  },
  places: (home, environment) =>
    openclawHomes(home, environment).map((state) => ({
      path: `${state}/agents`,
      match: /\/agent\/openclaw-agent\.sqlite$/u,
    })),
}

// Node columns are read through entry_json where it can be, because OpenClaw calls that the canonical record.
const sessionsQuery = `
  select s.session_id, w.session_key, w.channel, w.chat_type, w.display_name, w.parent_session_key, w.spawned_by,
    n.entry_json, n.fork_source_session_id, n.current_session_id
  from (select distinct session_id from transcript_events) s
  left join session_windows w on w.session_id = s.session_id
  left join session_nodes n on n.session_key = w.session_key
  order by w.created_at, s.session_id`

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

interface StoredSession {
  readonly sessionId: string
  readonly agent: string
  readonly head: SessionDraft
}

function readSession(row: unknown, agent: string, database: OpenclawDatabase): StoredSession | undefined {
  const sessionId = String(field(row, 'session_id'))
  const sessionKey = textField(row, 'session_key')
  const entryJson = textField(row, 'entry_json')
  const parsed = entryJson === undefined ? undefined : parseJson(Buffer.from(entryJson))
  const entry = parsed?.ok === true ? sessionHead(parsed.value, sessionKey, agent) : undefined
  if (isIncognitoKey(sessionKey) || entry?.incognito === true) return undefined
  const forkSource =
    field(row, 'current_session_id') === sessionId ? textField(row, 'fork_source_session_id') : undefined
  const parent =
    forkSource ?? sessionOfKey(database, textField(row, 'spawned_by') ?? textField(row, 'parent_session_key'))
  const head: SessionDraft = {
    ...entry,
    id: openclawSessionId(agent, sessionId),
    title: entry?.title ?? textField(row, 'display_name'),
    parent: parent === undefined || parent === sessionId ? undefined : openclawSessionId(agent, parent),
    participants: participants(database, sessionKey) ?? entry?.participants,
    metadata: {
      ...entry?.metadata,
      sessionKey,
      channel: textField(row, 'channel'),
      chatType: textField(row, 'chat_type'),
    },
  }
  return { sessionId, agent, head }
}

function sessionOfKey(database: OpenclawDatabase, sessionKey: string | undefined): string | undefined {
  if (sessionKey === undefined || isIncognitoKey(sessionKey)) return undefined
  const [node] = database.rows('select current_session_id from session_nodes where session_key = ?', [sessionKey])
  return textField(node, 'current_session_id')
}

function participants(database: OpenclawDatabase, sessionKey: string | undefined): readonly string[] | undefined {
  if (sessionKey === undefined || !database.tables.has('session_participants')) return undefined
  const actors = database.rows('select distinct actor_id from session_participants where session_key = ? order by 1', [
    sessionKey,
  ])
  const names = actors.map((actor) => textField(actor, 'actor_id')).filter((name) => name !== undefined)
  return names.length === 0 ? undefined : names
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

/** The rows of a session in order, page by page. The cast gives a text's exact bytes, which a string would not. */
function* storedRows(database: OpenclawDatabase, sessionId: string): Generator {
  const columns = database.rows('pragma table_info(transcript_events)').map((column) => field(column, 'name'))
  const zstd = columns.includes('event_zstd')
    ? 'event_zstd, event_utf8_bytes'
    : 'null as event_zstd, null as event_utf8_bytes'
  const query = `select seq, cast(event_json as blob) as json, ${zstd} from transcript_events where session_id = ? and seq > ? order by seq limit ${pageRows}`
  let last = -1
  for (;;) {
    const page = database.rows(query, [sessionId, last])
    yield* page
    const seq = field(page.at(-1), 'seq')
    if (typeof seq !== 'number' || page.length < pageRows) return
    last = seq
  }
}

/** The event's own bytes. Where they cannot be had, the stored ones are kept instead and the problem is named. */
function rowBytes(row: unknown): { readonly bytes: Uint8Array; readonly problem?: string } {
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
