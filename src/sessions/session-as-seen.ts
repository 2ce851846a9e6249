import type { Caller } from '../model/access.ts'
import type { MessageSource } from '../store/messages.ts'
import type { SessionRow } from '../store/session-row.ts'

/** A session as its reader may see it: whole, so that nothing of it is cut before it is looked through. */
export async function sessionAsSeen(
  database: MessageSource,
  { tenantId, view }: Caller,
  session: SessionRow,
): Promise<SessionRow> {
  if (view === undefined) return session
  // What looks for personal data is loaded for those only who may not see any.
  const { MessageView } = await import('./message-view.ts')
  return await (await MessageView.of(session, { database, view, tenantId, scope: 'session' })).session(session)
}
