import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'

import { z } from 'zod'

import { changedAtMs, codeOf, exists, namesIn } from '../files.ts'
import { capturedSession, type Session } from '../session.ts'
import { columnsOf, openDatabase } from './database-rows.ts'
import { placesOf } from './store-places.ts'

/** What a store tells of a session. */
interface StoredSession {
  readonly sessionId: string
  readonly sessionKey: string
  readonly isIncognito: boolean
}

const windowSchema = z.object({ session_id: z.string(), session_key: z.string(), entry_json: z.string().nullable() })
const entrySchema = z.looseObject({
  sessionId: z.string(),
  sessionFile: z.string().optional(),
  incognito: z.boolean().optional(),
})
const markSchema = z.looseObject({ incognito: z.literal(true) })

/** The sessions that may be captured and that OpenClaw's store has seen something of since a time, of all agents. */
export async function sessionsSince(stateDirectory: string, sinceMs: number): Promise<readonly Session[]> {
  const found: Session[] = []
  for (const agentId of await namesIn(join(stateDirectory, 'agents'))) {
    const { database, files } = placesOf(stateDirectory, agentId)
    const stored = (await exists(database)) ? await inDatabase(database, sinceMs) : await inFiles(files, sinceMs)
    for (const { sessionId, sessionKey, isIncognito } of stored) {
      const session = isIncognito ? undefined : capturedSession({ agentId, sessionId, sessionKey })
      if (session !== undefined) found.push(session)
    }
  }
  return found
}

/** By the rows that stand for whole sessions: there are few, and those of transcripts have no index by time. */
async function inDatabase(path: string, sinceMs: number): Promise<readonly StoredSession[]> {
  const database = await openDatabase(path)
  if (database === undefined) return []
  try {
    const columns = columnsOf(database, 'session_windows')
    const times = ['created_at', 'updated_at', 'transcript_updated_at'].filter((name) => columns.includes(name))
    if (times.length === 0 || !columnsOf(database, 'session_nodes').includes('entry_json')) return []
    const select = database.prepare(`select w.session_id, w.session_key, n.entry_json from session_windows w
      left join session_nodes n on n.session_key = w.session_key
      where ${times.map((name) => `w.${name} >= ?`).join(' or ')} order by w.created_at`)
    return select.all(...times.map(() => sinceMs)).map((row) => {
      const { session_id: sessionId, session_key: sessionKey, entry_json: entry } = windowSchema.parse(row)
      return { sessionId, sessionKey, isIncognito: isMarkedIncognito(entry) }
    })
  } finally {
    database.close()
  }
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
    if (codeOf(error) === 'ENOENT' || error instanceof SyntaxError) return {}
    throw error
  }
}

function isMarkedIncognito(entry: string | null): boolean {
  if (entry === null) return false
  try {
    return markSchema.safeParse(JSON.parse(entry)).success
  } catch (error) {
    // What cannot be read might say so.
    if (error instanceof SyntaxError) return true
    throw error
  }
}
