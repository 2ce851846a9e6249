import { sha256 } from '../../model/messages/payload.ts'
import { field, idField } from '../fields.ts'
import type { SessionRow, SessionRows } from '../format.ts'
import { parseJson } from '../json/json-value.ts'
import { rowsOfEvents } from '../rows-of-events.ts'
import { openclawArchives } from './openclaw-archives.ts'
import { openOpenclawDatabase, type OpenclawDatabase } from './openclaw-database.ts'
import { rowBytes, storedRow } from './openclaw-events.ts'
import { agentOf } from './openclaw-jsonl.ts'
import { openclawSessions, type StoredSession } from './openclaw-sessions.ts'

const pageRows = 1_000

/**
 * The rows of a database's sessions by their ids, as OpenClaw itself lists them: no row is read that has one, so that it takes
 * no longer for long rows.
 */
export async function* rowsOfDatabase(path: string): AsyncGenerator<SessionRows> {
  await using database = await openOpenclawDatabase(path)
  const agent = database.agentId ?? agentOf(path)
  for (const session of openclawSessions(database, agent)) yield* pagesOf(database, session)
  for await (const { events } of openclawArchives(database, agent)) yield* rowsOfEvents(events)
}

function* pagesOf(database: OpenclawDatabase, session: StoredSession): Generator<SessionRows> {
  const query = pageQuery(database)
  for (let last = -1; ;) {
    const page = database.rows(query, [session.sessionId, last])
    if (page.length > 0) yield { session: session.head.id, rows: page.map((row) => sessionRow(database, session, row)) }
    const seq = field(page.at(-1), 'seq')
    if (typeof seq !== 'number' || page.length < pageRows) return
    last = seq
  }
}

function pageQuery(database: OpenclawDatabase): string {
  const columns = database.rows('pragma table_info(transcript_event_identities)').map((column) => field(column, 'name'))
  const [join, id] = columns.includes('event_id')
    ? ['left join transcript_event_identities i on i.session_id = e.session_id and i.seq = e.seq', 'i.event_id']
    : ['', 'null as event_id']
  // An event's own time stands behind its text, so that SQLite has to go through all of that to read it.
  const writtenAt = columns.includes('created_at') ? 'i.created_at' : 'e.created_at'
  return `select e.seq, ${id}, ${writtenAt} from transcript_events e ${join}
    where e.session_id = ? and e.seq > ? order by e.seq limit ${pageRows}`
}

function sessionRow(database: OpenclawDatabase, { sessionId, createdAtMs }: StoredSession, row: unknown): SessionRow {
  const writtenAt = field(row, 'created_at')
  // What a fork copied was written when the fork was made.
  const writtenAtMs = typeof writtenAt === 'number' ? Math.max(writtenAt, createdAtMs ?? 0) : createdAtMs
  const id = idField(row, 'event_id')
  if (id !== undefined) return { id, writtenAtMs }
  const { bytes, problem } = rowBytes(storedRow(database, sessionId, Number(field(row, 'seq'))))
  const parsed = problem === undefined ? parseJson(bytes) : undefined
  return { id: parsed?.ok === true ? idField(parsed.value, 'id') : undefined, sha256: sha256(bytes), writtenAtMs }
}
