import { traits } from '../../indexing/traits.ts'
import type { UnitEvidence } from '../../store/search/read-evidence.ts'
import type { QueryIntent } from '../query/query-intent.ts'
import type { TermSource } from '../query/query-text.ts'
import { spanFit, timeFit, type NamedTime } from '../query/times/query-dates.ts'
import type { TimeSpan } from '../query/times/time-bounds.ts'
import type { RankedTurn } from './conversation.ts'
import type { Weights } from './weights.ts'

/** One term of the query as the ranking weighs it. `weight` is idf times the query's own weight; forms of a word share a group. */
export interface ScoringTerm {
  readonly weight: number
  readonly group: number
  readonly source: TermSource
}

/** What a query asks, as far as it weighs results. */
export interface Question {
  readonly terms: readonly ScoringTerm[]
  /** Places in `frequencies` that stand for senders the query names. */
  readonly senders: readonly number[]
  /** Places in `frequencies` of the words of each title that the query quotes. */
  readonly titles: readonly (readonly number[])[]
  readonly intent: QueryIntent
  readonly times: readonly NamedTime[]
  readonly spans: readonly TimeSpan[]
  /** Words of an average unit. */
  readonly averageLength: number
}

/** BM25 of a turn, its neighbours' words counted in part: the best of its parts. 0 where nothing matches. */
export function contextualScore(turn: RankedTurn, question: Question, weights: Weights): number {
  const before = nearby(turn, weights)
  let best = 0
  for (const [index, part] of turn.parts.entries()) {
    const heard = before.filter(({ side }) => (side === 'before' ? index === 0 : index === turn.parts.length - 1))
    best = Math.max(best, partScore(part, heard, { question, weights }))
  }
  return best
}

interface Heard {
  readonly side: 'before' | 'after'
  readonly unit: UnitEvidence
  readonly weight: number
}

/** The ends of the neighbours that face the turn, with the weight of each of their words. */
function nearby(turn: RankedTurn, weights: Weights): Heard[] {
  const heard: Heard[] = []
  const add = (side: Heard['side'], unit: UnitEvidence | undefined, weight: number): void => {
    if (unit !== undefined && weight > 0)
      heard.push({ side, unit, weight: weight * Math.min(1, weights.neighbourWords / Math.max(1, unit.termCount)) })
  }
  add('before', turn.previous?.parts.at(-1), weights.previous)
  add('after', turn.next?.parts[0], weights.next)
  add('before', turn.previous?.previous?.parts.at(-1), weights.secondPrevious)
  add('after', turn.next?.next?.parts[0], weights.secondPrevious / 2)
  return heard
}

function partScore(
  part: UnitEvidence,
  heard: readonly Heard[],
  context: { readonly question: Question; readonly weights: Weights },
): number {
  const { question, weights } = context
  const k = weights.k1 * (1 - weights.b + (weights.b * part.termCount) / question.averageLength)
  const groups = new Map<number, number>()
  const own = new Set<number>()
  for (const [index, { weight, group, source }] of question.terms.entries()) {
    let frequency = part.frequencies[index] ?? 0
    for (const { unit, weight: share } of heard) frequency += share * (unit.frequencies[index] ?? 0)
    if (frequency === 0) continue
    if (source === 'asked') own.add(group)
    const score = (weight * (weights.k1 + 1) * frequency) / (frequency + k)
    if (score > (groups.get(group) ?? 0)) groups.set(group, score)
  }
  let sum = 0
  for (const score of groups.values()) sum += score
  return sum * (1 + weights.coordination * Math.max(0, own.size - 1))
}

/** What a turn is, beside what it says: the product of the moves below, 1 for a turn that none of them concerns. */
export function turnFactor(turn: RankedTurn, question: Question, weights: Weights): number {
  return (
    senderFactor(turn, question, weights) *
    titleFactor(turn, question, weights) *
    intentFactor(turn, question, weights) *
    dateFactor(turn, question, weights) *
    roleFactor(turn, question, weights) *
    substanceFactor(turn, weights) *
    (isStanding(turn) ? 1 + weights.standing : 1)
  )
}

/** A person who stated a rule or a preference; what an agent says of itself binds nobody. */
export function isStanding(turn: RankedTurn): boolean {
  return (turn.traits & traits.standing) !== 0 && turn.role === 'user'
}

function senderFactor(turn: RankedTurn, question: Question, weights: Weights): number {
  const fields = turn.parts[0]?.frequencies
  return question.senders.some((place) => (fields?.[place] ?? 0) > 0) ? 1 + weights.sender : 1
}

/** A turn with all words of a title in one part of it; of several titles the share that it has. */
function titleFactor(turn: RankedTurn, { titles }: Question, weights: Weights): number {
  if (titles.length === 0) return 1
  const found = titles.filter((title) =>
    turn.parts.some(({ frequencies }) => title.every((place) => (frequencies[place] ?? 0) > 0)),
  )
  return 1 + (weights.title * found.length) / titles.length
}

function intentFactor(turn: RankedTurn, { intent }: Question, weights: Weights): number {
  return (
    (intent.asksTime && (turn.traits & traits.time) !== 0 ? 1 + weights.time : 1) *
    (intent.asksNumber && (turn.traits & traits.number) !== 0 ? 1 + weights.number : 1) *
    ((turn.traits & traits.question) === 0 ? 1 : 1 - weights.question) *
    ((turn.traits & traits.asks) === 0 ? 1 : 1 - weights.asks)
  )
}

function dateFactor(turn: RankedTurn, { times, spans }: Question, weights: Weights): number {
  const { timestampMs } = turn
  const fits = [
    ...times.map((named) => timeFit(named, timestampMs)),
    ...spans.map((span) => spanFit(span, timestampMs)),
  ]
  const fit = Math.max(0, ...fits)
  return 1 + weights.date * fit
}

function roleFactor(turn: RankedTurn, { intent }: Question, weights: Weights): number {
  if (intent.speaker === 'assistant') return turn.role === 'assistant' ? 1 + weights.assistantAsked : 1
  if (turn.role !== 'user') return 1
  return 1 + (intent.speaker === 'user' ? weights.userAsked : weights.user)
}

function substanceFactor(turn: RankedTurn, weights: Weights): number {
  const words = turn.parts[0]?.termCount ?? 0
  return 1 + weights.substance * Math.min(1, words / weights.substanceWords)
}
