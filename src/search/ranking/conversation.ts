import type { Role } from '../../model/messages/message.ts'
import type { UnitEvidence } from '../../store/search/read-evidence.ts'

/** A message among its neighbours, as the ranking sees it. */
export interface RankedTurn {
  readonly sessionId: string
  readonly seq: number
  readonly timestampMs: number
  readonly role: Role
  readonly traits: number
  readonly eligible: boolean
  /** At least one; in their order. */
  readonly parts: readonly UnitEvidence[]
  /** The turns before and after it in its session, as far as they were read. Only turns that people and agents take. */
  previous: RankedTurn | undefined
  next: RankedTurn | undefined
}

export function placeKey(place: { readonly sessionId: string; readonly seq: number }): string {
  return `${place.sessionId} ${place.seq}`
}

/** Further apart than this many entries of their session, two turns are no neighbours. */
export const neighbourSeqMax = 3

/** Puts parts together to messages and links neighbours. `evidence` is in the order of session, seq, part. */
export function linkTurns(evidence: readonly UnitEvidence[]): RankedTurn[] {
  const turns: RankedTurn[] = []
  let lastTurn: RankedTurn | undefined
  for (const group of groupsOf(evidence)) {
    const [first] = group
    if (first === undefined) continue
    const { sessionId, seq, timestampMs, role, traits } = first
    const turn: RankedTurn = {
      sessionId,
      seq,
      timestampMs,
      role,
      traits,
      eligible: first.eligible,
      parts: group,
      previous: undefined,
      next: undefined,
    }
    turns.push(turn)
    // Markers and tool events stand between turns and are none.
    if (first.kind !== 'message') continue
    if (lastTurn?.sessionId === sessionId && seq - lastTurn.seq <= neighbourSeqMax) {
      turn.previous = lastTurn
      lastTurn.next = turn
    }
    lastTurn = turn
  }
  return turns
}

function groupsOf(evidence: readonly UnitEvidence[]): UnitEvidence[][] {
  const groups: UnitEvidence[][] = []
  for (const unit of evidence) {
    const last = groups.at(-1)
    if (last?.[0]?.sessionId === unit.sessionId && last[0].seq === unit.seq) last.push(unit)
    else groups.push([unit])
  }
  return groups
}

/** The stretches of sessions around some places, merged where they touch; `reach` entries on each side where a place does not say. */
export function stretchesAround(
  places: readonly { readonly sessionId: string; readonly seq: number; readonly reach?: number }[],
): { readonly sessionId: string; readonly fromSeq: number; readonly toSeq: number }[] {
  const sorted = places.toSorted((a, b) =>
    a.sessionId < b.sessionId ? -1 : a.sessionId > b.sessionId ? 1 : a.seq - b.seq,
  )
  const stretches: { sessionId: string; fromSeq: number; toSeq: number }[] = []
  for (const { sessionId, seq, reach = neighbourSeqMax } of sorted) {
    const last = stretches.at(-1)
    const fromSeq = Math.max(1, seq - reach)
    if (last?.sessionId !== sessionId || fromSeq > last.toSeq + 1)
      stretches.push({ sessionId, fromSeq, toSeq: seq + reach })
    else {
      last.fromSeq = Math.min(last.fromSeq, fromSeq)
      last.toSeq = Math.max(last.toSeq, seq + reach)
    }
  }
  return stretches
}
