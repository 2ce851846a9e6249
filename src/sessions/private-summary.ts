import { requireSession } from '../capture/session-reference.ts'
import type { Caller } from '../model/access.ts'
import type { Database } from '../store/database.ts'
import { MessageView } from './message-view.ts'

interface Quoting {
  readonly session_id: string
  readonly summary: string
  readonly citations: readonly { readonly sender: string; readonly text?: string }[]
}

/** A summary, and what it quotes. */
export async function privateSummary<Reply extends Quoting>(
  database: Database,
  caller: Caller,
  reply: Reply,
): Promise<Reply> {
  const session = await requireSession(database, caller, reply.session_id)
  const view = await MessageView.of(session, { view: 'redacted', tenantId: caller.tenantId, scope: 'session' })
  const citations: Reply['citations'][number][] = []
  for (const citation of reply.citations) {
    const text = citation.text === undefined ? {} : { text: await view.text(citation.text) }
    citations.push({ ...citation, sender: view.sender(citation.sender), ...text })
  }
  return { ...reply, summary: await view.text(reply.summary), citations }
}
