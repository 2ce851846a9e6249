import type { SessionDraft } from '../entry-builder.ts'
import { field, textField } from '../fields.ts'
import { parseJson } from '../json/json-value.ts'
import type { OpenclawDatabase } from './openclaw-database.ts'
import { isIncognitoKey, openclawSessionId } from './openclaw-rows.ts'
import { sessionHead } from './openclaw-store.ts'

// Node columns are read through entry_json where it can be, because OpenClaw calls that the canonical record.
const sessionsQuery = `
  select s.session_id, w.session_key, w.channel, w.chat_type, w.display_name, w.parent_session_key, w.spawned_by,
    w.created_at, n.entry_json, n.fork_source_session_id, n.current_session_id
  from (select distinct session_id from transcript_events) s
  left join session_windows w on w.session_id = s.session_id
  left join session_nodes n on n.session_key = w.session_key
  order by w.created_at, s.session_id`

/** A session of a database. */
export interface StoredSession {
  readonly sessionId: string
  readonly agent: string
  /** Milliseconds since 1970, where the database tells. */
  readonly createdAtMs: number | undefined
  readonly head: SessionDraft
}

/** The sessions that have rows, the oldest first, without those that are incognito. */
export function openclawSessions(database: OpenclawDatabase, agent: string): readonly StoredSession[] {
  return database.rows(sessionsQuery).flatMap((row) => readSession(row, agent, database) ?? [])
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
  const createdAt = field(row, 'created_at')
  return { sessionId, agent, createdAtMs: typeof createdAt === 'number' ? createdAt : undefined, head }
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
