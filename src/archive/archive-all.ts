import { explain, messageOf, UnavailableError } from '../errors.ts'
import type { Caller } from '../model/access.ts'
import { forgetDeadArchive, unarchivedSessions } from '../store/archive/archive-queue.ts'
import { forgetArchive } from '../store/archive/archive-state.ts'
import { inTransaction } from '../store/transaction.ts'
import type { ArchiveDependencies } from './archive-dependencies.ts'
import { archiveChangedKeys } from './archive-keys.ts'
import { Archiver } from './archiver.ts'
import { isOfOneSession } from './is-of-one-session.ts'

export interface ArchiveAllReport {
  readonly sessions: number
  readonly files: number
  readonly problems: readonly ArchiveProblem[]
}

/** Of a session, or of an imported document. */
type ArchiveProblem = ({ readonly session_id: string } | { readonly path: string }) & { readonly problem: string }

const pageSessions = 100

/** Forgets what is archived, for a place that is new or has lost something: what is there still is found again. */
export async function archiveAnew(
  dependencies: ArchiveDependencies,
  caller: Caller,
  onProgress: () => void,
): Promise<ArchiveAllReport> {
  await dependencies.database.run((sql) =>
    inTransaction(sql, (transaction) => forgetArchive(transaction, caller.tenantId)),
  )
  return await archiveAll(dependencies, caller, onProgress)
}

/**
 * Archives now whatever is not archived, idle or not, beside the background work. A session or a
 * document that cannot be archived is reported, and the rest goes on. Throws UnavailableError where the archive does not answer.
 */
export async function archiveAll(
  dependencies: ArchiveDependencies,
  caller: Caller,
  onProgress: () => void,
): Promise<ArchiveAllReport> {
  const { database } = dependencies
  const { tenantId } = caller
  const archiver = new Archiver(dependencies)
  const problems: ArchiveProblem[] = []
  let sessions = 0
  let after: string | undefined
  for (;;) {
    const page = { after, limit: pageSessions }
    const ids = await database.run((sql) => unarchivedSessions(sql, tenantId, page))
    for (const sessionId of ids) {
      try {
        await archiver.archiveSession({ tenantId, sessionId })
        await database.run((sql) => forgetDeadArchive(sql, tenantId, sessionId))
        sessions++
      } catch (error) {
        if (isOfOneSession(error)) problems.push({ session_id: sessionId, problem: explain(error) })
        else if (error instanceof UnavailableError) throw error
        else problems.push({ session_id: sessionId, problem: messageOf(error) })
      }
      onProgress()
    }
    after = ids.at(-1)
    if (after === undefined) break
  }
  await archiveChangedKeys(dependencies, tenantId)
  const files = await archiver.archiveFiles(tenantId)
  problems.push(...files.problems.map(({ path, problem }) => ({ path, problem })))
  return { sessions, files: files.archived, problems }
}
