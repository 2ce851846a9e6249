import { mayWrite, requireUsableSession } from '../../../capture/session-reference.ts'
import { ForbiddenError, NotFoundError } from '../../../errors.ts'
import { limits } from '../../../limits.ts'
import type { Caller } from '../../../model/access.ts'
import type { SummaryStyle } from '../../../model/summary-style.ts'
import type { ReadDependencies } from '../../../sessions/session-page.ts'
import { readErasures } from '../../../store/erasure/keep-from-erasure.ts'
import type { SessionRow } from '../../../store/session-row.ts'
import { listSessions } from '../../../store/sessions.ts'
import { newestByWeight } from '../../../store/summaries/weigh-messages.ts'
import { type Candidate, candidatesOf, type MessageToSummarize } from '../../extracts/candidates.ts'
import { lackOf } from '../render-summary.ts'
import { extractTime } from './extract-time.ts'

export interface AcrossQuestion {
  readonly query?: string | undefined
  readonly since?: string | undefined
  readonly until?: string | undefined
}

/** What some sessions say about a question, by session: the one that began first is the first. */
export interface FoundAcross {
  readonly sessions: readonly { readonly sessionId: string; readonly turns: readonly MessageToSummarize[] }[]
  /** Their sentences of which a summary can be made without a model, in order. */
  readonly quotable: readonly Omit<Candidate, 'order'>[]
  readonly messagesRead: number
  /** Messages that hold secrets or read like instructions to a model. */
  readonly leftOut: number
  /** Whether there are more sessions, or messages of one, than were looked at. */
  readonly hasMore: boolean
  /** What a search could not look at, and how many messages could not be read. */
  readonly degraded: readonly string[]
}

/** Tokens of the most telling sentences of all sessions of a time together. */
const toldTokens = 8_000
const toldTokensMin = 200

interface TimeQuestion extends Omit<AcrossQuestion, 'query'> {
  readonly style: SummaryStyle
  /** Whether what stands for the messages of a session is stored with it, where the caller may write it. */
  readonly keep: boolean
}

/**
 * The most telling sentences of the newest messages of the sessions of a time, of those that were active last. What
 * stands for the messages of a session is stored with it: only what has changed is read again.
 */
export async function findByTime(
  dependencies: ReadDependencies,
  caller: Caller,
  { since, until, style, keep }: TimeQuestion,
): Promise<FoundAcross> {
  const { database } = dependencies
  const limit = limits.summarySessionsMax + 1
  const listed = await listSessions(database, caller, { filter: { since, until }, after: undefined, limit })
  const found = await readable(dependencies, caller, listed.slice(0, limits.summarySessionsMax))
  const maxTokens = Math.max(toldTokensMin, Math.floor(toldTokens / Math.max(1, found.length)))
  const sessions: FoundAcross['sessions'][number][] = []
  let messagesRead = 0
  let leftOut = 0
  let unreadable = 0
  let hasMore = listed.length === limit
  for (const { id: sessionId, lastSeq } of found.toReversed()) {
    const key = { tenantId: caller.tenantId, sessionId }
    const stretch = { fromSeq: 1, toSeq: lastSeq, since, until, weightMax: limits.summarySessionCharacters }
    const piece = await database.run((sql) => newestByWeight(sql, key, stretch))
    if (piece === undefined) continue
    hasMore ||= piece.hasMore
    const erasures = await database.run((sql) => readErasures(sql, key))
    const isKept = keep && (await mayWrite(database, caller, sessionId))
    // A few sentences of each session might leave out what is the most telling of all of them.
    const own = style === 'brief' ? 'detailed' : style
    const options = { style: own, maxTokens, lastSeq, since, until, keep: isKept, erasures } as const
    const read = await extractTime(dependencies, key, { ...options, piece })
    messagesRead += read.messagesRead
    leftOut += read.leftOut
    unreadable += read.unreadable
    const turns = read.sentences.map(({ messageId: id, ...sentence }) => ({
      ...sentence,
      id,
      role: 'user' as const,
    }))
    if (turns.length > 0) sessions.push({ sessionId, turns })
  }
  const quotable = sessions.flatMap(({ turns }) => turns.flatMap((turn) => [...candidatesOf(turn)]))
  return { sessions, quotable, messagesRead, leftOut, hasMore, degraded: lackOf(unreadable) }
}

/** Those whose messages the caller may read: some may see that a session is there and no more. */
async function readable(
  { database }: ReadDependencies,
  caller: Caller,
  sessions: readonly SessionRow[],
): Promise<SessionRow[]> {
  const readableOnes: SessionRow[] = []
  for (const { id } of sessions) {
    try {
      readableOnes.push(await requireUsableSession(database, caller, id))
    } catch (error) {
      if (!(error instanceof ForbiddenError) && !(error instanceof NotFoundError)) throw error
    }
  }
  return readableOnes
}
