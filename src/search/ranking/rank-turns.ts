import { placeKey, type RankedTurn } from './conversation.ts'
import { spreadOverSessions } from './diversity.ts'
import { bestOf, fuse, type Nearness } from './fuse.ts'
import { contextualScore, isStanding, turnFactor, type Question } from './score-turns.ts'
import { TurnWeigher, type WeighedTurn } from './weigh-turn.ts'
import type { Weights } from './weights.ts'

/** A turn with its place in the result. */
export interface ScoredTurn {
  readonly turn: RankedTurn
  readonly score: number
  /** How it came to it, of the first results where that is asked for. */
  readonly weighed?: WeighedTurn | undefined
}

interface RankContext {
  readonly nearness: Nearness
  readonly weights: Weights
  readonly onlyMeaning?: boolean
  /** Of how many of the first results it is told how they came to their scores; of none where it is not said. */
  readonly weighedMax?: number | undefined
}

/**
 * Orders turns, best first: contextual BM25 and nearness in meaning, what each turn is, its neighbours and its session. Turns that do not match,
 * neither themselves nor by a neighbour, are left out. Ties by time, newest first, then by session and seq.
 */
export function rankTurns(turns: readonly RankedTurn[], question: Question, context: RankContext): ScoredTurn[] {
  const { nearness, weights, weighedMax = 0 } = context
  if (context.onlyMeaning === true) return inOrder(turns.map((turn) => ({ turn, score: nearness.of(turn) })))
  const lexical = turns.map((turn) => contextualScore(turn, question, weights))
  const fused = fuse(turns, lexical, context)
  const own = turns.map((turn, index) => (fused[index] ?? 0) * turnFactor(turn, question, weights))
  const scored = turns.map((turn, index) => ({ turn, score: own[index] ?? 0 }))
  const liftOf = standingLift(scored, weights)
  const smoothed = smooth(turns, withStanding(scored, { liftOf, weights }), weights)
  const sessionShare = sessionShares(smoothed, weights)
  const ranked = spreadOverSessions(inOrder(withSessionPrior(smoothed, sessionShare, weights)), {
    sessionOf: ({ turn }) => turn.sessionId,
    weights,
  })
  if (weighedMax === 0) return ranked
  const weigher = new TurnWeigher({
    question,
    nearness,
    weights,
    liftOf,
    sessionShare,
    lexical: new Map(turns.map((turn, index) => [turn, lexical[index] ?? 0])),
    bestLexical: bestOf(lexical),
  })
  return ranked.map((result, index) =>
    index < weighedMax ? { ...result, weighed: weigher.weigh(result.turn) } : result,
  )
}

function inOrder(scored: readonly ScoredTurn[]): ScoredTurn[] {
  return scored
    .filter(({ turn, score }) => turn.eligible && score > 0)
    .toSorted(
      (a, b) =>
        b.score - a.score || b.turn.timestampMs - a.turn.timestampMs || (placeKey(a.turn) < placeKey(b.turn) ? -1 : 1),
    )
}

type Lift = (turn: RankedTurn, weights: Weights) => number

/** What a standing instruction is lifted by: the more, the nearer its session is to what is asked. */
function standingLift(scored: readonly ScoredTurn[], usual: Weights): Lift {
  const best = scored.reduce((max, { score }) => Math.max(max, score), 0)
  const shares = sessionShares(scored, usual)
  return (turn, weights) =>
    weights.standingShare * best * (1 - weights.standingSession + weights.standingSession * shares(turn))
}

/** A standing instruction that matches at all is seen, however weakly it matches. */
function withStanding(
  scored: readonly ScoredTurn[],
  { liftOf, weights }: { readonly liftOf: Lift; readonly weights: Weights },
): Map<RankedTurn, number> {
  return new Map(
    scored.map(({ turn, score }) => [turn, score > 0 && isStanding(turn) ? score + liftOf(turn, weights) : score]),
  )
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
function withSessionPrior(
  scored: readonly ScoredTurn[],
  shares: (turn: RankedTurn) => number,
  weights: Weights,
): ScoredTurn[] {
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
