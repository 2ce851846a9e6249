import { placeKey, type RankedTurn } from './conversation.ts'
import { spreadOverSessions } from './diversity.ts'
import { fuse, type Nearness } from './fuse.ts'
import { contextualScore, isStanding, turnFactor, type Question } from './score-turns.ts'
import type { Weights } from './weights.ts'

/** A turn with its place in the result. */
export interface ScoredTurn {
  readonly turn: RankedTurn
  readonly score: number
}

/**
 * Orders turns, best first: contextual BM25 and nearness in meaning, what each turn is, its neighbours and its session. Turns that do not match,
 * neither themselves nor by a neighbour, are left out. Ties by time, newest first, then by session and seq.
 */
export function rankTurns(
  turns: readonly RankedTurn[],
  question: Question,
  context: { readonly nearness: Nearness; readonly weights: Weights; readonly onlyMeaning?: boolean },
): ScoredTurn[] {
  const { weights } = context
  if (context.onlyMeaning === true) return inOrder(turns.map((turn) => ({ turn, score: context.nearness.of(turn) })))
  const lexical = turns.map((turn) => contextualScore(turn, question, weights))
  const fused = fuse(turns, lexical, context)
  const own = turns.map((turn, index) => (fused[index] ?? 0) * turnFactor(turn, question, weights))
  const scored = turns.map((turn, index) => ({ turn, score: own[index] ?? 0 }))
  const smoothed = smooth(turns, withStanding(scored, weights), weights)
  return spreadOverSessions(inOrder(withSessionPrior(smoothed, weights)), {
    sessionOf: ({ turn }) => turn.sessionId,
    weights,
  })
}

function inOrder(scored: readonly ScoredTurn[]): ScoredTurn[] {
  return scored
    .filter(({ turn, score }) => turn.eligible && score > 0)
    .toSorted(
      (a, b) =>
        b.score - a.score || b.turn.timestampMs - a.turn.timestampMs || (placeKey(a.turn) < placeKey(b.turn) ? -1 : 1),
    )
}

/**
 * A standing instruction that matches at all is seen, however weakly it matches: the more, the nearer its session is to what
 * is asked.
 */
function withStanding(scored: readonly ScoredTurn[], weights: Weights): Map<RankedTurn, number> {
  const best = scored.reduce((max, { score }) => Math.max(max, score), 0)
  const shares = sessionShares(scored, weights)
  const lift = (turn: RankedTurn) =>
    weights.standingShare * best * (1 - weights.standingSession + weights.standingSession * shares(turn))
  return new Map(scored.map(({ turn, score }) => [turn, score > 0 && isStanding(turn) ? score + lift(turn) : score]))
}

/** Neighbour smoothing: a turn between two that match is likelier to belong to the answer. */
function smooth(turns: readonly RankedTurn[], scores: ReadonlyMap<RankedTurn, number>, weights: Weights): ScoredTurn[] {
  const scoreOf = (turn: RankedTurn | undefined) => (turn === undefined ? 0 : (scores.get(turn) ?? 0))
  return turns.map((turn) => ({
    turn,
    score: scoreOf(turn) + (weights.smoothing / 2) * (scoreOf(turn.previous) + scoreOf(turn.next)),
  }))
}

/** Session prior: a session whose best turns match lifts all of its turns. */
function withSessionPrior(scored: readonly ScoredTurn[], weights: Weights): ScoredTurn[] {
  const shares = sessionShares(scored, weights)
  return scored.map(({ turn, score }) => ({ turn, score: score * (1 + weights.session * shares(turn)) }))
}

/** Of each turn's session the sum of its best turns, as a share of the best session's. */
function sessionShares(scored: readonly ScoredTurn[], weights: Weights): (turn: RankedTurn) => number {
  const bySession = new Map<string, number[]>()
  for (const { turn, score } of scored) {
    const scores = bySession.get(turn.sessionId) ?? []
    bySession.set(turn.sessionId, scores)
    scores.push(score)
  }
  const sums = new Map<string, number>()
  for (const [sessionId, scores] of bySession) {
    const top = scores.toSorted((a, b) => b - a).slice(0, weights.sessionBest)
    sums.set(
      sessionId,
      top.reduce((sum, score) => sum + score, 0),
    )
  }
  const best = Math.max(...sums.values(), Number.MIN_VALUE)
  return (turn) => (sums.get(turn.sessionId) ?? 0) / best
}
