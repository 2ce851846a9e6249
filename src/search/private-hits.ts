import { MessageView } from '../sessions/message-view.ts'
import type { SessionRow } from '../store/session-row.ts'
import { excerpt } from './excerpt.ts'
import { findMatches, type Hit } from './hits.ts'
import type { ParsedQuery } from './query/query-text.ts'
import type { Neighbour } from './reply.ts'

/** More than a reply shows of a message, so that nothing that is found by what stands around it is cut there. */
const readCharacters = 12_000

export interface FoundTexts<Session> {
  readonly hits: readonly Hit[]
  readonly neighbours: readonly Neighbour[]
  readonly sessions: readonly Session[]
}

/** What was found, as whoever may not see personal data is shown it. */
export async function withoutPersonalData<Session extends SessionRow>(
  found: FoundTexts<Session>,
  choice: { readonly tenantId: number; readonly queries: readonly ParsedQuery[] },
): Promise<FoundTexts<Session>> {
  const views = new Map<string, MessageView>()
  for (const session of found.sessions)
    views.set(
      session.id,
      await MessageView.of(session, { view: 'redacted', tenantId: choice.tenantId, scope: 'session' }),
    )
  const shown = async (message: Hit['message'], text: string) => {
    const view = views.get(message.sessionId)
    // A session that is gone since has nothing to show.
    if (view === undefined) return { message: { ...message, sender: '[person]' }, text: '' }
    return { message: await view.row(message), text: await view.text(text) }
  }
  const hits: Hit[] = []
  for (const hit of found.hits) {
    const { message, text } = await shown(
      hit.message,
      excerpt(hit.text, hit.matches, { maxCharacters: readCharacters }).text,
    )
    hits.push({ ...hit, message, text, ...findMatches(text, 0, choice.queries) })
  }
  const neighbours: Neighbour[] = []
  for (const { message, text } of found.neighbours)
    neighbours.push(await shown(message, excerpt(text, [], { maxCharacters: readCharacters }).text))
  const sessions: Session[] = []
  for (const session of found.sessions) {
    const title = session.title === null ? null : await views.get(session.id)?.text(session.title)
    sessions.push({ ...session, title: title ?? null })
  }
  return { hits, neighbours, sessions }
}
