import { requireSession } from '../capture/session-reference.ts'
import type { Caller } from '../model/access.ts'
import type { Database } from '../store/database.ts'
import { MessageView } from './message-view.ts'

interface Quoting {
  readonly session_id?: string
  readonly summary: string
  readonly citations: readonly { readonly session_id?: string; readonly sender: string; readonly text?: string }[]
}

/** A summary, and what it quotes. */
export async function privateSummary<Reply extends Quoting>(
  database: Database,
  caller: Caller,
  reply: Reply,
): Promise<Reply> {
  const views = new Map<string, MessageView>()
  for (const id of sessionsOf(reply)) {
    const session = await requireSession(database, caller, id)
    views.set(
      id,
      await MessageView.of(session, { database, view: 'redacted', tenantId: caller.tenantId, scope: 'session' }),
    )
  }
  const citations: Reply['citations'][number][] = []
  for (const citation of reply.citations) {
    const view = views.get(citation.session_id ?? reply.session_id ?? '')
    if (view === undefined) throw new Error('A citation is of a session')
    const text = citation.text === undefined ? {} : { text: await view.text(citation.text) }
    citations.push({ ...citation, sender: view.sender(citation.sender), ...text })
  }
  // Who takes part in one session may be named in another.
  let { summary } = reply
  for (const view of views.values()) summary = await view.text(summary)
  return { ...reply, summary, citations }
}

function sessionsOf({ session_id: id, citations }: Quoting): readonly string[] {
  if (id !== undefined) return [id]
  return [...new Set(citations.flatMap(({ session_id: session }) => session ?? []))]
}
