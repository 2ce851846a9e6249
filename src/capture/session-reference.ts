import { ConflictError, NotFoundError } from '../errors.ts'
import { limits } from '../limits.ts'
import { looksLikeId } from '../model/ids.ts'
import { checkName } from '../model/validate.ts'
import type { Database } from '../store/database.ts'
import { sessionsByReference, type SessionRow } from '../store/sessions.ts'

/** The one session that a caller's reference names (our id, or the source's own), or undefined where there is none. */
export async function resolveSession(
  database: Database,
  tenantId: number,
  reference: string,
): Promise<SessionRow | undefined> {
  checkName(reference, { field: 'session_id', charactersMax: limits.idCharactersMax })
  const id = reference.toLowerCase()
  const found = await database.run((sql) =>
    sessionsByReference(sql, tenantId, { externalId: reference, ...(looksLikeId(id) ? { id } : {}) }),
  )
  const exact = found.find((session) => session.id === id)
  if (exact !== undefined || found.length <= 1) return exact ?? found[0]
  const candidates = found.map((session) => `${session.id} (${session.source}, last active ${session.lastActiveAt})`)
  throw new ConflictError(`Session id "${reference}" names ${found.length} sessions`, {
    remedy: `Use one of the canonical ids: ${candidates.join('; ')}`,
  })
}

/** As `resolveSession`, but a session that is not there is a NotFoundError that says what to do. */
export async function requireSession(database: Database, tenantId: number, reference: string): Promise<SessionRow> {
  const session = await resolveSession(database, tenantId, reference)
  if (session !== undefined) return session
  throw new NotFoundError(`No session "${reference}"`, {
    remedy: 'Call list_sessions to see what there is, or search_memory to find a message and its session',
  })
}
