import { UnavailableError } from '../errors.ts'
import type { SyncedState } from '../store/sync/sync-peers.ts'
import { totalsOf } from '../store/sync/synced-session.ts'
import { compareMessages, type Difference, type Missing } from './compare.ts'
import type { Answered, Peer } from './peer.ts'
import type { SyncCounts } from './report.ts'
import { mergeEdits, noEdits, type SessionEdits } from './session-edits.ts'

/** A session is written to while it is exchanged: each round takes along what came in the last one. */
const roundsMax = 8

/** As `SyncedState.lastSeq` of sessions that are not the same at both, and stay so. */
export const apartSeq = -1

type Seen = Answered<'session'>

/** How a session was left. */
export type Outcome =
  | { readonly kind: 'equal' | 'apart'; readonly state: SyncedState }
  | { readonly kind: 'erased' | 'pending' }

export interface Exchange {
  readonly ours: Peer
  readonly theirs: Peer
  readonly received: SyncCounts
  readonly sent: SyncCounts
  readonly onMessages: (count: number) => void
}

type Refused = NonNullable<Answered<'write'>['refused']>

/** One of the two ways that messages go. */
interface Way {
  readonly from: Peer
  readonly to: Peer
  readonly counts: SyncCounts
  readonly seen: Seen
  /** Whether the other way nothing goes. */
  readonly isOnly: boolean
}

/**
 * Exchanges what two stores have of one session, until both are found to have the same. Whatever is interrupted goes on with what is there
 * by then. `known` is what it was when they were equal last.
 */
export async function syncSession(
  exchange: Exchange,
  session: string,
  known: SyncedState | undefined,
): Promise<Outcome> {
  const { ours, theirs } = exchange
  let isCountedAnew = false
  for (let round = 1; round <= roundsMax; round++) {
    const [own, other] = await seeBoth([ours, theirs], session)
    if (own.is_erased || other.is_erased) return { kind: 'erased' }
    if (own.is_erasing || other.is_erasing) return { kind: 'pending' }
    if (own.record === undefined && other.record === undefined) return { kind: 'erased' }
    const from = isCountedAnew ? 1 : firstToCompare(own, other, known)
    const difference = await compareMessages([ours, theirs], session, from)
    const isMoved = await exchangeMessages(exchange, session, { own, other, difference })
    if (typeof isMoved === 'string') return { kind: isMoved }
    // What is said of it is for the round that finds the same messages at both.
    if (isMoved || (await exchangeEdits(exchange, session)) || own.record === undefined || other.record === undefined)
      continue
    const isCounted = JSON.stringify(totalsOf(own.record)) === JSON.stringify(totalsOf(other.record))
    if (isCounted || difference.apart > 0) {
      const { version, erasures, last_seq: lastSeq } = own.record
      const { version: peerVersion, erasures: peerErasures } = other.record
      const isApart = difference.apart > 0
      const state = { version, peerVersion, erasures, peerErasures, lastSeq: isApart ? apartSeq : lastSeq }
      return { kind: isApart ? 'apart' : 'equal', state: { sessionId: session, ...state } }
    }
    isCountedAnew = true
    for (const peer of [ours, theirs]) await peer.ask('recount', { session })
  }
  throw new UnavailableError(`Session "${session}" was changed all the time while it was exchanged`, {
    remedy: 'Run the sync again',
  })
}

/** Up to where both had the same they are not compared again, unless one of them was changed there, or is older than it was: put back from a backup. */
function firstToCompare({ record: own }: Seen, { record: other }: Seen, known: SyncedState | undefined): number {
  if (known === undefined || own === undefined || other === undefined) return 1
  const isAsBefore = own.erasures === known.erasures && other.erasures === known.peerErasures
  const isLater = own.version >= known.version && other.version >= known.peerVersion
  const isWhole = Math.min(own.last_seq, other.last_seq) >= known.lastSeq
  return isAsBefore && isLater && isWhole && known.lastSeq !== apartSeq ? known.lastSeq + 1 : 1
}

async function see(peer: Peer, session: string, elsewhere?: Seen): Promise<Seen> {
  const { record } = elsewhere ?? {}
  const named = record === undefined ? {} : { named: { source: record.source, external_id: record.external_id } }
  return (await peer.ask('session', { session, ...named })).answer
}

/** A store that has it not is told how the other one calls it: it may have erased it under another id. */
async function seeBoth([ours, theirs]: readonly [Peer, Peer], session: string): Promise<readonly [Seen, Seen]> {
  const own = await see(ours, session)
  const other = await see(theirs, session, own)
  if (own.record !== undefined || other.record === undefined) return [own, other]
  return [await see(ours, session, other), other]
}

/** Whether anything went either way. */
async function exchangeMessages(
  { ours, theirs, received, sent, onMessages }: Exchange,
  session: string,
  { own, other, difference }: { readonly own: Seen; readonly other: Seen; readonly difference: Difference },
): Promise<boolean | Refused> {
  const { onlyOurs, onlyTheirs, betterOurs, betterTheirs } = difference
  const [isOnlyToUs, isOnlyToThem] = [onlyOurs.length === 0, onlyTheirs.length === 0]
  const here: Way = { from: theirs, to: ours, counts: received, seen: other, isOnly: isOnlyToUs }
  const there: Way = { from: ours, to: theirs, counts: sent, seen: own, isOnly: isOnlyToThem }
  const ways = [
    { way: here, missing: onlyTheirs, replaced: betterTheirs, isNew: own.record === undefined },
    { way: there, missing: onlyOurs, replaced: betterOurs, isNew: other.record === undefined },
  ]
  let hasMoved = false
  for (const { way, missing, replaced, isNew } of ways) {
    const isMade = isNew && way.seen.record !== undefined
    if (isMade) way.counts.sessions++
    if (missing.length === 0 && replaced.length === 0 && !isMade) continue
    hasMoved = true
    // A session may be there without any message.
    if (missing.length === 0 && isMade) {
      const result = await transfer(way, session, undefined)
      if (typeof result === 'string') return result
    }
    for (const stretch of [...replaced, ...missing]) {
      const isLast = stretch === missing.at(-1)
      const result = await transfer(way, session, { ...stretch, isLast })
      if (typeof result === 'string') return result
      onMessages(result)
    }
  }
  return hasMoved
}

/** Brings a stretch from one store to the other, as much at once as one answer carries. Gives how many are new there. */
async function transfer(
  { from, to, counts, seen, isOnly }: Way,
  session: string,
  stretch: (Missing & { readonly isLast: boolean }) | undefined,
): Promise<number | Refused> {
  if (seen.record === undefined) return 0
  const asked = { session, record: seen.record, is_closed: seen.is_closed, adopts: isOnly }
  if (stretch === undefined) {
    const { answer } = await to.ask('write', { ...asked, is_last: true }, [])
    if (answer.is_namesake === true) counts.namesakes++
    return answer.refused ?? 0
  }
  let inserted = 0
  for (let next = stretch.from; next <= stretch.to;) {
    const { messages = [] } = await from.ask('read', { session, from: next, to: stretch.to })
    const last = messages.at(-1)
    // It was changed meanwhile: the next round sees how it is now.
    if (last === undefined) break
    const isLast = stretch.isLast && last.record.seq === stretch.to
    const { answer } = await to.ask('write', { ...asked, is_last: isLast }, messages)
    if (answer.refused !== undefined) return answer.refused
    if (answer.is_namesake === true) counts.namesakes++
    inserted += answer.inserted
    counts.messages += answer.inserted
    counts.moved += answer.moved
    counts.filled += answer.filled ?? 0
    next = last.record.seq + 1
  }
  return inserted
}

/** Whether anything new was said to either. */
async function exchangeEdits({ ours, theirs, received, sent }: Exchange, session: string): Promise<boolean> {
  const [own, other] = await Promise.all([ours, theirs].map((peer) => readEdits(peer, session)))
  if (own === undefined || other === undefined) return false
  const merged = mergeEdits(own, other)
  const text = JSON.stringify(merged)
  let isNews = false
  for (const { peer, known, counts } of [
    { peer: ours, known: own, counts: received },
    { peer: theirs, known: other, counts: sent },
  ]) {
    if (JSON.stringify(mergeEdits(known, noEdits)) === text) continue
    const { answer } = await peer.ask('edit', { session, edits: merged })
    if (answer.changed) counts.edits++
    isNews = true
  }
  return isNews
}

/** Undefined where the session is gone by now. */
async function readEdits(peer: Peer, session: string): Promise<SessionEdits | undefined> {
  const { is_missing: isMissing, ...edits } = (await peer.ask('edits', { session })).answer
  return isMissing ? undefined : edits
}
