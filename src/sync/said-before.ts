import { mayWrite } from '../capture/session-reference.ts'
import type { Caller } from '../model/access.ts'
import { readSessionRecord } from '../store/archive/archived-session.ts'
import type { Database } from '../store/database.ts'
import type { SessionKey } from '../store/messages.ts'
import { summariesOf } from '../store/summaries/summaries.ts'
import { readHeadText } from '../store/sync/session-heads.ts'
import { sessionEditsSchema } from './session-edits.ts'

/** What was said of a session and is not any more, as another store or somebody here has said something else since. */
export interface SaidBefore {
  readonly field: string
  readonly value: unknown
  /** ISO 8601; null where it is not known when it was said. */
  readonly at: string | null
  /** The id of the store where it was said, as `verbatim sync --json` has them; null where that was not noted. */
  readonly store: string | null
}

/** The newest first. For who may write the session; nothing for others. Throws UnavailableError where it cannot be opened. */
export async function saidBefore(database: Database, caller: Caller, sessionId: string): Promise<SaidBefore[]> {
  const key = { tenantId: caller.tenantId, sessionId }
  if (caller.view !== undefined || !(await mayWrite(database, caller, sessionId))) return []
  const said = [...(await fieldsBefore(database, key)), ...(await summariesBefore(database, key))]
  return said.toSorted((a, b) => ((a.at ?? '') < (b.at ?? '') ? 1 : -1))
}

async function fieldsBefore(database: Database, key: SessionKey): Promise<SaidBefore[]> {
  const text = await readHeadText(database, key)
  const record = text === undefined ? undefined : await readSessionRecord(database, key, 'sync')
  if (text === undefined || record === undefined) return []
  const now: Readonly<Record<string, unknown>> = record
  return Object.entries(sessionEditsSchema.parse(JSON.parse(text)).fields).flatMap(([field, edits]) =>
    edits
      // Without a store: that nothing is said any more since messages were erased.
      .filter(({ by, value }, index) => by !== '' && !(index === 0 && value === JSON.stringify(now[field])))
      .map(({ value, at, by }) => ({
        field,
        value: valueOf(field, JSON.parse(value)),
        at: at === 1 ? null : new Date(at).toISOString(),
        store: by,
      })),
  )
}

/** Metadata is kept as the text that it was saved as. */
function valueOf(field: string, value: unknown): unknown {
  return field === 'metadata' && typeof value === 'string' ? JSON.parse(value) : value
}

/** Summaries that clients wrote, but for the newest one. */
async function summariesBefore(database: Database, key: SessionKey): Promise<SaidBefore[]> {
  const written = await summariesOf(database, key, { madeBy: 'host' })
  return written
    .slice(0, -1)
    .map(({ text, createdAt }) => ({ field: 'summary', value: text, at: createdAt, store: null }))
}
