import { z } from 'zod'

import { mayManage, requireSession } from '../capture/session-reference.ts'
import type { Caller } from '../model/access.ts'
import { decodeCursor, encodeCursor } from '../model/cursor.ts'
import { recordedDataNotice } from '../model/text/fence.ts'
import { bytesOfTokens } from '../model/text/tokens.ts'
import type { SessionKey } from '../store/messages.ts'
import type { SessionRow } from '../store/session-row.ts'
import { latestSummary } from '../store/summaries/summaries.ts'
import { briefHead } from './brief-head.ts'
import { compactPage } from './compact-page.ts'
import type { SessionDocument } from './document.ts'
import { fullPage } from './full-page.ts'
import { cutText, prettyBytes } from './json-size.ts'
import { keepGiven } from './keep-given.ts'
import { lastPage } from './last-page.ts'
import type { MessageView, PrivateView } from './message-view.ts'
import { namesNote } from './names-note.ts'
import type { ReadDependencies } from './session-page.ts'
import { shownOf, summaryMembers } from './summary-members.ts'

export interface GetSessionInput {
  readonly sessionId: string
  readonly fromSeq?: number | undefined
  readonly toSeq?: number | undefined
  /** In place of `fromSeq`: the end of the session, at most so many of the messages that the view shows. */
  readonly last?: number | undefined
  readonly limit: number
  /** Of the whole reply. */
  readonly maxTokens: number
  /**
   * `full`: everything, losslessly. `compact`: what one reads, without events and without metadata. The private views: as
   * `full`, but for the personal data and secrets that are found.
   */
  readonly view: 'full' | 'compact' | PrivateView
  /** Shows the messages of the view without events and metadata. */
  readonly isCompact?: boolean | undefined
  readonly cursor?: string | undefined
}

/** What `next_cursor` and the brackets of the list of messages take. */
const cursorBytes = 190
/** A summary shows at least this much of itself, even where the page is very small. */
const summaryBytesMin = 100

const placeSchema = z.object({ session: z.string(), seq: z.number().int().min(0), offset: z.number().int().min(0) })

/**
 * A session, page by page, in order; the two-space JSON of a page keeps to `maxTokens`. In the full view every page
 * carries the exact content of its messages, each checked against its SHA-256; a message larger than a page comes in
 * pieces, and one whose bytes are damaged says so in `error`. `next_cursor` is absent on the last page.
 */
export async function getSession(
  dependencies: ReadDependencies,
  caller: Caller,
  input: GetSessionInput,
): Promise<SessionDocument> {
  const session = await requireSession(dependencies.database, caller, input.sessionId)
  const key = { tenantId: caller.tenantId, sessionId: session.id }
  const place =
    input.cursor === undefined
      ? undefined
      : decodeCursor(
          'session',
          input.cursor,
          placeSchema.refine((value) => value.session === session.id),
        )
  const budgetBytes = bytesOfTokens(input.maxTokens)
  const summary = place === undefined ? await latestSummary(dependencies.database, key) : undefined
  const view = await viewOf(dependencies, session, { tenantId: caller.tenantId, view: input.view })
  const head = briefHead((await view?.session(session)) ?? session, Math.floor(budgetBytes / 10))
  const summaryText = summary === undefined ? undefined : ((await view?.text(summary.text)) ?? summary.text)
  const text = summaryText === undefined ? undefined : cutText(summaryText, summaryRoom(budgetBytes))
  const shown =
    summary === undefined || text === undefined
      ? undefined
      : shownOf(summary, { text, isCut: text !== summaryText, lastSeq: session.lastSeq })
  const frame = {
    ...head,
    notice: await noticeOf(dependencies, key, place === undefined ? view : undefined),
    messages: [],
    ...summaryMembers(shown),
  }
  const request = {
    key,
    from: place ?? { seq: input.fromSeq ?? 1, offset: 0 },
    toSeq: input.toSeq,
    limit: input.limit,
    view,
    withholds: !(await mayManage(dependencies.database, caller, session.id)),
    roomBytes: Math.max(budgetBytes - prettyBytes(frame) - cursorBytes, 0),
  }
  const read = input.view === 'compact' || input.isCompact === true ? compactPage : fullPage
  const page =
    input.last === undefined
      ? await read(dependencies, request)
      : await lastPage((seq) => read(dependencies, { ...request, from: { seq, offset: 0 } }), {
          lastSeq: session.lastSeq,
          count: input.last,
        })
  await keepGiven(dependencies, key, view)
  return {
    ...frame,
    messages: page.messages,
    ...(page.next === undefined ? {} : { next_cursor: encodeCursor('session', { session: session.id, ...page.next }) }),
  }
}

/** A caller that may not see personal data reads sessions in the redacted view, whichever it asks for. */
export function inViewOf({ view }: Caller, input: GetSessionInput): GetSessionInput {
  if (view === undefined) return input
  return { ...input, view, isCompact: input.isCompact === true || input.view === 'compact' }
}

/** Notes for the audit log which messages a page has shown. */
export function noteShown({ call }: Caller, { session_id: id, messages }: SessionDocument): void {
  call?.show(
    id,
    messages.map(({ seq }) => seq),
  )
}

/** With how far names were looked for, on the first page of a view without personal data. */
async function noticeOf(dependencies: ReadDependencies, key: SessionKey, view: MessageView | undefined) {
  const note = view === undefined ? undefined : await namesNote(dependencies, key)
  return note === undefined ? recordedDataNotice : `${recordedDataNotice} ${note}`
}

/** Undefined where messages are shown as they are. */
async function viewOf(
  { database, pseudonymKey }: ReadDependencies,
  session: SessionRow,
  choice: { readonly tenantId: number; readonly view: GetSessionInput['view'] },
): Promise<MessageView | undefined> {
  const { tenantId, view } = choice
  if (view === 'full' || view === 'compact') return undefined
  const { MessageView } = await import('./message-view.ts')
  return await MessageView.of(session, { database, view, tenantId, scope: 'session', pseudonymKey })
}

/** A quarter of the page, and less where head and first message would not fit beside it. */
function summaryRoom(budgetBytes: number): number {
  const headAndMessageBytes = 1_600
  return Math.max(Math.min(budgetBytes / 4, budgetBytes - headAndMessageBytes), summaryBytesMin)
}
