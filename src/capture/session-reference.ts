import { ConflictError, ForbiddenError, NotFoundError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { SessionAction, Viewer } from '../model/access.ts'
import { looksLikeId } from '../model/ids.ts'
import { checkName } from '../model/validate.ts'
import { accessRemedy, mayDo, roleIn } from '../store/access/session-access.ts'
import type { Database } from '../store/database.ts'
import { referenceErasedAt } from '../store/erasure/tombstones.ts'
import type { SessionRow } from '../store/session-row.ts'
import { sessionIdsNamed, sessionsByReference } from '../store/sessions.ts'

/**
 * The one session that a caller's reference names (our id, or the source's own), or undefined where there is none that the
 * viewer may know of.
 */
export async function resolveSession(
  database: Database,
  viewer: Viewer,
  reference: string,
): Promise<SessionRow | undefined> {
  checkName(reference, { field: 'session_id', charactersMax: limits.idCharactersMax })
  const id = reference.toLowerCase()
  const wanted = { externalId: reference, ...(looksLikeId(id) ? { id } : {}) }
  const found = await sessionsByReference(database, viewer, wanted)
  const exact = found.find((session) => session.id === id)
  if (exact !== undefined || found.length <= 1) return exact ?? found[0]
  const candidates = found.map((session) => `${session.id} (${session.source}, last active ${session.lastActiveAt})`)
  throw new ConflictError(`Session id "${reference}" names ${found.length} sessions`, {
    remedy: `Use one of the canonical ids: ${candidates.join('; ')}`,
  })
}

/**
 * The session that a reference names, for one who is to read it; one that is restricted for who may lift that only. Errors as of
 * `requireSessionTo`.
 */
export async function requireSession(database: Database, viewer: Viewer, reference: string): Promise<SessionRow> {
  const session = await requireSessionTo(database, viewer, { reference, action: 'read' })
  if (!session.restricted || (await mayManage(database, viewer, session.id))) return session
  throw new ForbiddenError(`Cannot read session "${session.id}" as it is restricted: it is stored and not to be used`, {
    remedy: 'Only its owner may read it, or lift the restriction',
  })
}

/** The session that a reference names, to make something of its messages. A restricted one is a ForbiddenError for anybody. */
export async function requireUsableSession(database: Database, viewer: Viewer, reference: string): Promise<SessionRow> {
  const session = await requireSession(database, viewer, reference)
  if (!session.restricted) return session
  throw new ForbiddenError(`Cannot use session "${session.id}" as it is restricted`, {
    remedy: 'Lift the restriction first: "verbatim unrestrict", or update_session with restricted false',
  })
}

/** Whether the viewer may say who uses a session, and may read what is restricted in it. */
export async function mayManage(database: Database, viewer: Viewer, sessionId: string): Promise<boolean> {
  return await hasRole(database, viewer, { sessionId, action: 'manage' })
}

/** Whether something of the viewer's may be stored with a session. */
export async function mayWrite(database: Database, viewer: Viewer, sessionId: string): Promise<boolean> {
  return await hasRole(database, viewer, { sessionId, action: 'write' })
}

async function hasRole(
  database: Database,
  viewer: Viewer,
  { sessionId, action }: { readonly sessionId: string; readonly action: SessionAction },
): Promise<boolean> {
  if (viewer.principalId === undefined) return true
  return mayDo(await database.run((sql) => roleIn(sql, viewer, sessionId)), action)
}

/**
 * As `resolveSession`, but a session that is not there is a NotFoundError that says what to do, and one with which the
 * viewer may not do that a ForbiddenError.
 */
export async function requireSessionTo(
  database: Database,
  viewer: Viewer,
  { reference, action }: { readonly reference: string; readonly action: SessionAction },
): Promise<SessionRow> {
  const session = await resolveSession(database, viewer, reference)
  if (session === undefined) throw await absentSession(database, viewer, reference)
  await requireRole(database, viewer, { sessionId: session.id, action })
  return session
}

/** What there is to say of a session that is not there: whether it was erased, to whoever knows its id. */
async function absentSession(database: Database, viewer: Viewer, reference: string): Promise<NotFoundError> {
  const unwalled = database.unwalled ?? database
  const { tenantId, call } = viewer
  const erasedAt = await unwalled.run((sql) => referenceErasedAt(sql, tenantId, reference))
  // The audit log names what is not told: a session that is shared with others only, or was erased.
  const [id, another] = await unwalled.run((sql) => sessionIdsNamed(sql, tenantId, reference))
  if (id !== undefined && another === undefined) call?.about(id)
  else if (erasedAt !== undefined && looksLikeId(reference.toLowerCase())) call?.about(reference.toLowerCase())
  return new NotFoundError(
    erasedAt === undefined
      ? `No session "${reference}"`
      : `Session "${reference}" was erased on ${erasedAt.slice(0, 10)}`,
    { remedy: 'Call list_sessions to see what there is, or search_memory to find a message and its session' },
  )
}

/** Throws ForbiddenError where the viewer's role in the session does not allow the action. */
export async function requireRole(
  database: Database,
  viewer: Viewer,
  { sessionId, action }: { readonly sessionId: string; readonly action: SessionAction },
): Promise<void> {
  viewer.call?.about(sessionId)
  if (viewer.principalId === undefined) return
  const role = await database.run((sql) => roleIn(sql, viewer, sessionId))
  if (mayDo(role, action)) return
  throw new ForbiddenError(
    `Cannot ${action} session "${sessionId}" as ${role === null ? 'it is shared with others only' : `your role in it is ${role}`}`,
    { remedy: accessRemedy },
  )
}
