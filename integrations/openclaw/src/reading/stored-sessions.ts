import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'

import { z } from 'zod'

import { changedAtMs, exists, isAbsent, namesIn, reasonOf } from '../files.ts'
import { capturedSession, isSafeName, type Session } from '../session.ts'
import { columnsOf, openDatabase, type SqliteDatabase } from './database-rows.ts'
import { placesOf } from './store-places.ts'

/** Told why some or all sessions of an agent cannot be found. No contents are in it. */
type OnProblem = (agentId: string, reason: string) => void

/** What a store tells of a session. */
interface StoredSession {
  readonly sessionId: string
  readonly sessionKey: string
  /** Or may be. */
  readonly isIncognito: boolean
}

const windowSchema = z.object({ session_id: z.string(), session_key: z.string(), entry_json: z.string().nullable() })
const entrySchema = z.looseObject({
  sessionId: z.string(),
  sessionFile: z.string().optional(),
  incognito: z.boolean().optional(),
})

/**
 * The sessions that may be captured and that OpenClaw's store has seen something of since a time, of all agents. An agent whose store
 * cannot be read hides no other one's.
 */
export async function sessionsSince(
  stateDirectory: string,
  sinceMs: number,
  onProblem: OnProblem,
): Promise<readonly Session[]> {
  const found: Session[] = []
  for (const agentId of (await namesIn(join(stateDirectory, 'agents'))).filter(isSafeName)) {
    const { database, files } = placesOf(stateDirectory, agentId)
    const problem = (reason: string) => onProblem(agentId, reason)
    let stored: readonly StoredSession[] = []
    try {
      stored = (await exists(database)) ? await inDatabase(database, sinceMs, problem) : await inFiles(files, sinceMs)
    } catch (error) {
      problem(reasonOf(error))
    }
    for (const { sessionId, sessionKey, isIncognito } of stored) {
      const session = isIncognito ? undefined : capturedSession({ agentId, sessionId, sessionKey })
      if (session !== undefined) found.push(session)
    }
  }
  return found
}

/** By the rows that stand for whole sessions: there are few, and those of transcripts have no index by time. */
async function inDatabase(
  path: string,
  sinceMs: number,
  onProblem: (reason: string) => void,
): Promise<readonly StoredSession[]> {
  const database = await openDatabase(path)
  if (database === undefined) return []
  const found: StoredSession[] = []
  let unlike = 0
  try {
    const rows = selectWindows(database, sinceMs)
    if (rows === undefined) onProblem('its tables are unlike those that are known')
    for (const row of rows ?? []) {
      const { data } = windowSchema.safeParse(row)
      if (data === undefined) unlike += 1
      else {
        const { session_id: sessionId, session_key: sessionKey, entry_json: entry } = data
        found.push({ sessionId, sessionKey, isIncognito: !isKnownOpen(sessionId, entry) })
      }
    }
  } finally {
    database.close()
  }
  if (unlike > 0) onProblem(`${unlike} of its rows are unlike those that are known`)
  return found
}

/** Undefined where the tables are other ones. */
function selectWindows(database: SqliteDatabase, sinceMs: number): readonly unknown[] | undefined {
  const columns = columnsOf(database, 'session_windows')
  const times = ['created_at', 'updated_at', 'transcript_updated_at'].filter((name) => columns.includes(name))
  const [first] = times
  const ofNodes = columnsOf(database, 'session_nodes')
  if (first === undefined || !ofNodes.includes('entry_json')) return undefined
  // A key goes on with other sessions, and its node tells of the last of them alone.
  const isCurrent = ofNodes.includes('current_session_id') ? 'and n.current_session_id = w.session_id' : ''
  const select = database.prepare(`select w.session_id, w.session_key, n.entry_json from session_windows w
    left join session_nodes n on n.session_key = w.session_key ${isCurrent}
    where ${times.map((name) => `w.${name} >= ?`).join(' or ')} order by w.${first}`)
  return select.all(...times.map(() => sinceMs))
}

/** By the map of sessions, which alone tells their keys. */
async function inFiles(directory: string, sinceMs: number): Promise<readonly StoredSession[]> {
  const found: StoredSession[] = []
  for (const [sessionKey, value] of Object.entries(await readMap(join(directory, 'sessions.json')))) {
    const { data: entry } = entrySchema.safeParse(value)
    if (entry === undefined) continue
    const { sessionId, sessionFile, incognito } = entry
    const name = sessionFile === undefined ? `${sessionId}.jsonl` : basename(sessionFile)
    const changedAt = await changedAtMs(join(directory, name))
    if (changedAt !== undefined && changedAt >= sinceMs)
      found.push({ sessionId, sessionKey, isIncognito: incognito === true })
  }
  return found
}

async function readMap(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    // One that is just being written is read at the next start.
    if (isAbsent(error) || error instanceof SyntaxError) return {}
    throw error
  }
}

/** Whether a session's own entry is there and does not mark it. What no entry of its own tells about might be incognito. */
function isKnownOpen(sessionId: string, entry: string | null): boolean {
  if (entry === null) return false
  try {
    const { data } = entrySchema.safeParse(JSON.parse(entry))
    return data !== undefined && data.sessionId === sessionId && data.incognito !== true
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}
