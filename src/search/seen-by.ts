import type { Caller } from '../model/access.ts'
import type { MessageSource } from '../store/messages.ts'
import type { SessionRow } from '../store/session-row.ts'
import type { FoundTexts } from './private-hits.ts'
import type { ParsedQuery } from './query/query-text.ts'

/** What was found as its reader may see it. What looks for personal data is loaded for those only who may not see any. */
export async function asSeenBy<Session extends SessionRow>(
  { database, caller: { tenantId, view } }: { readonly database: MessageSource; readonly caller: Caller },
  found: FoundTexts<Session>,
  queries: readonly ParsedQuery[],
): Promise<FoundTexts<Session>> {
  if (view === undefined) return found
  const { withoutPersonalData } = await import('./private-hits.ts')
  return await withoutPersonalData(found, { database, tenantId, queries })
}
