import { counted } from '../model/text/counted.ts'
import type { Stretch } from '../store/erasure/erasure-plan.ts'

/** How long what is kept. Limits that are absent do not limit; a session keeps its newest messages. */
export interface RetentionLimits {
  /** Days since a message was said. */
  readonly ageDaysMax?: number | undefined
  /** Days since the session was active last: then all of it goes. */
  readonly idleDaysMax?: number | undefined
  /** Of a session. */
  readonly messagesMax?: number | undefined
  readonly bytesMax?: number | undefined
}

export const retentionScopes = ['tenant', 'source', 'tag', 'session'] as const
export type RetentionScope = (typeof retentionScopes)[number]

export interface RetentionPolicy extends RetentionLimits {
  readonly id: string
  readonly scope: RetentionScope
  /** Which source, tag or session (our id); null for the tenant. */
  readonly target: string | null
}

/** What is known of a session beside its messages. */
export interface RetainedSession {
  readonly id: string
  readonly source: string
  readonly tags: readonly string[]
  readonly lastActiveAtMs: number
  readonly legalHold: boolean
}

export interface RetainedMessage {
  readonly seq: number
  /** When it was said; when it was saved, where it claims to be of later. */
  readonly atMs: number
  readonly bytes: number
}

/** Why something goes. */
export type RetentionReason = 'age' | 'idle' | 'messages' | 'bytes'

/** `held`: something would go, and a legal hold keeps it. */
export type RetentionVerdict =
  | { readonly verdict: 'keep' | 'held' }
  | { readonly verdict: 'erase'; readonly reasons: readonly RetentionReason[]; readonly stretches: readonly Stretch[] }

const dayMs = 86_400_000

/** The narrowest scope decides: session, tag, source, tenant. Of several tags each has its say: the strictest limit counts. */
export function limitsFor(
  policies: readonly RetentionPolicy[],
  session: Pick<RetainedSession, 'id' | 'source' | 'tags'>,
): RetentionLimits | undefined {
  const matching = {
    session: policies.filter(({ scope, target }) => scope === 'session' && target === session.id),
    tag: policies.filter(({ scope, target }) => scope === 'tag' && session.tags.some((tag) => tag === target)),
    source: policies.filter(({ scope, target }) => scope === 'source' && target === session.source),
    tenant: policies.filter(({ scope }) => scope === 'tenant'),
  }
  const narrowest = (['session', 'tag', 'source', 'tenant'] as const).find((scope) => matching[scope].length > 0)
  if (narrowest === undefined) return undefined
  const strictest = (limit: keyof RetentionLimits) => {
    const values = matching[narrowest].flatMap((policy) => policy[limit] ?? [])
    return values.length === 0 ? undefined : Math.min(...values)
  }
  return {
    ageDaysMax: strictest('ageDaysMax'),
    idleDaysMax: strictest('idleDaysMax'),
    messagesMax: strictest('messagesMax'),
    bytesMax: strictest('bytesMax'),
  }
}

/**
 * What of a session goes at a moment. `messages` are those that are left of it, in order; where none of them would be left the
 * session goes whole, which no stretches say. A hold keeps all of it.
 */
export function decideRetention(
  limits: RetentionLimits,
  session: RetainedSession,
  { messages, nowMs }: { readonly messages: readonly RetainedMessage[]; readonly nowMs: number },
): RetentionVerdict {
  const isIdle = isOver(session.lastActiveAtMs, limits.idleDaysMax, nowMs)
  const expired = isIdle ? new Map<number, RetentionReason>() : expiredMessages(limits, messages, nowMs)
  if (!isIdle && expired.size === 0) return { verdict: 'keep' }
  if (session.legalHold) return { verdict: 'held' }
  if (isIdle) return { verdict: 'erase', reasons: ['idle'], stretches: [] }
  const reasons = [...new Set(expired.values())].toSorted()
  const stretches = expired.size === messages.length ? [] : stretchesOf([...expired.keys()])
  return { verdict: 'erase', reasons, stretches }
}

function isOver(sinceMs: number, daysMax: number | undefined, nowMs: number): boolean {
  return daysMax !== undefined && nowMs - sinceMs > daysMax * dayMs
}

/** Numbers of the messages that go, in order, and the first reason of each. */
function expiredMessages(
  { ageDaysMax, messagesMax = Infinity, bytesMax = Infinity }: RetentionLimits,
  messages: readonly RetainedMessage[],
  nowMs: number,
): Map<number, RetentionReason> {
  const expired = new Map<number, RetentionReason>()
  let count = 0
  let bytes = 0
  for (const message of messages.toReversed()) {
    count++
    bytes += message.bytes
    if (isOver(message.atMs, ageDaysMax, nowMs)) expired.set(message.seq, 'age')
    else if (count > messagesMax) expired.set(message.seq, 'messages')
    else if (bytes > bytesMax) expired.set(message.seq, 'bytes')
  }
  return new Map([...expired].toReversed())
}

/** Ascending numbers as stretches. */
export function stretchesOf(seqs: readonly number[]): Stretch[] {
  const stretches: [number, number][] = []
  for (const seq of seqs) {
    const last = stretches.at(-1)
    if (last !== undefined && last[1] === seq - 1) last[1] = seq
    else stretches.push([seq, seq])
  }
  return stretches
}

const clockJumpMs = 7 * dayMs

/** Why a sweep must not run by itself: the clock has left the last sweep, or the setting of the first policy, too far behind. */
export function clockProblem(sweptAtMs: number, nowMs: number): string | undefined {
  const days = Math.floor(Math.abs(nowMs - sweptAtMs) / dayMs)
  if (nowMs - sweptAtMs > clockJumpMs)
    return `the clock is ${counted(days, 'day')} ahead of the last sweep, or the store was not in use for so long`
  if (sweptAtMs - nowMs > dayMs) return `the clock is ${counted(days, 'day')} behind the last sweep`
  return undefined
}
