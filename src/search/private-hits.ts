import { MessageView } from '../sessions/message-view.ts'
import type { MessageSource } from '../store/messages.ts'
import type { SessionRow } from '../store/session-row.ts'
import { excerpt } from './excerpt.ts'
import type { Neighbour } from './fit-reply.ts'
import { MatchFinder, type Hit } from './hits.ts'
import type { ParsedQuery } from './query/query-text.ts'

/** More than a reply shows of a message. */
const readCharacters = 12_000

export interface FoundTexts<Session> {
  readonly hits: readonly Hit[]
  readonly neighbours: readonly Neighbour[]
  readonly sessions: readonly Session[]
}

/** What a cut may leave of something personal is in so many characters at most, and they are not shown. */
const edgeCharacters = 300

/** A text without personal data, around its matches where it is long: of it all would take too long. */
async function readIn(whole: string, matches: Hit['matches'], view: MessageView): Promise<string> {
  const { text, start, end } = excerpt(whole, matches, { maxCharacters: readCharacters })
  const masked = await view.text(text)
  const from = start > 0 ? edgeCharacters : 0
  const to = end < whole.length ? masked.length - edgeCharacters : masked.length
  return `${from > 0 ? '…' : ''}${masked.slice(from, to)}${to < masked.length ? '…' : ''}`
}

/** What was found, as whoever may not see personal data is shown it. */
export async function withoutPersonalData<Session extends SessionRow>(
  found: FoundTexts<Session>,
  choice: {
    readonly database: MessageSource
    readonly tenantId: number
    readonly queries: readonly ParsedQuery[]
  },
): Promise<FoundTexts<Session>> {
  const views = new Map<string, MessageView>()
  for (const session of found.sessions)
    views.set(
      session.id,
      await MessageView.of(session, {
        database: choice.database,
        view: 'redacted',
        tenantId: choice.tenantId,
        scope: 'session',
      }),
    )
  const shown = async (message: Hit['message'], whole: string, matches: Hit['matches']) => {
    const view = views.get(message.sessionId)
    // A session that is gone since has nothing to show.
    if (view === undefined) return { message: { ...message, sender: '[person]' }, text: '' }
    return { message: await view.row(message), text: await readIn(whole, matches, view) }
  }
  const finder = new MatchFinder(choice.queries)
  const hits: Hit[] = []
  for (const hit of found.hits) {
    const { message, text } = await shown(hit.message, hit.text, hit.matches)
    hits.push({ ...hit, message, text, ...finder.find(text, 0) })
  }
  const neighbours: Neighbour[] = []
  for (const { message, text } of found.neighbours) neighbours.push(await shown(message, text, []))
  const sessions: Session[] = []
  for (const session of found.sessions) {
    const title = session.title === null ? null : await views.get(session.id)?.text(session.title)
    sessions.push({ ...session, title: title ?? null })
  }
  return { hits, neighbours, sessions }
}
