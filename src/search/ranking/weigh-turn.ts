import type { RankedTurn } from './conversation.ts'
import type { Nearness } from './fuse.ts'
import { partNames, scaled, type LearnedPart } from './learned-parts.ts'
import { contextualScore, isStanding, turnFactor, type Question } from './score-turns.ts'
import type { Weights } from './weights.ts'

/** What the score of one turn depends on besides the turn and those beside it. */
interface ScoreFrame {
  readonly question: Question
  readonly nearness: Nearness
  readonly weights: Weights
  /** The scores by words of some turns, and the best of all. */
  readonly lexical: ReadonlyMap<RankedTurn, number>
  readonly bestLexical: number
  /** What is added to a standing instruction. */
  readonly liftOf: (turn: RankedTurn, weights: Weights) => number
  /** How well a turn's session matches, as a share of the best session. */
  readonly sessionShare: (turn: RankedTurn) => number
}

/** How a turn came to its score. */
export interface WeighedTurn {
  readonly logScore: number
  /** By how much that changes with the logarithm of each learned weight; parts that do not count are absent. */
  readonly effects: Readonly<Partial<Record<LearnedPart, number>>>
}

/** A tenth more: little beside what may be learned, and much beside rounding. */
const more = 1.1
const roundedTo = 1e4

/** Parts that say nothing of what a turn is. */
const outsideOfFactor: ReadonlySet<LearnedPart> = new Set([
  'meaning',
  'meaning_around',
  'words_around',
  'neighbours',
  'session',
])

/** What of a turn's own score stays as it is while one part is changed. */
interface OwnScore {
  readonly turn: RankedTurn
  readonly words: number
  /** Nearness in meaning of the turn, and of those before and after it. */
  readonly near: readonly [own: number, previous: number, next: number]
  readonly factor: number
}

/**
 * Tells how much each learned part counts in the scores of turns: by the score with a tenth more of it, what is said of all turns (the
 * best score by words, the shares of sessions) held fast. Only what depends on the part is made anew: of twenty turns it takes half a
 * millisecond.
 */
export class TurnWeigher {
  readonly #frame: ScoreFrame
  readonly #scaled: ReadonlyMap<LearnedPart, Weights>

  constructor(frame: ScoreFrame) {
    this.#frame = frame
    this.#scaled = new Map(partNames.map((part) => [part, scaled(frame.weights, { [part]: more })]))
  }

  /** Undefined for a turn that does not match. */
  weigh(turn: RankedTurn): WeighedTurn | undefined {
    const own = this.#own(turn)
    const beside = [turn.previous, turn.next].flatMap((one) => (one === undefined ? [] : [this.#own(one)]))
    const share = this.#frame.sessionShare(turn)
    const scoreWith = (weights: Weights, part?: LearnedPart) => {
      const score = beside.reduce(
        (sum, one) => sum + (weights.smoothing / 2) * this.#score(one, weights, part),
        this.#score(own, weights, part),
      )
      return score * (1 + weights.session * share)
    }
    const usual = scoreWith(this.#frame.weights)
    if (!(usual > 0)) return undefined
    const effects: Partial<Record<LearnedPart, number>> = {}
    for (const [part, weights] of this.#scaled) {
      const ratio = scoreWith(weights, part) / usual
      const effect = Math.round((Math.log(ratio) / Math.log(more)) * roundedTo) / roundedTo
      if (Number.isFinite(effect) && effect !== 0) effects[part] = effect
    }
    return { logScore: Math.log(usual), effects }
  }

  #own(turn: RankedTurn): OwnScore {
    const { question, nearness, weights, lexical } = this.#frame
    const near = (one: RankedTurn | undefined) => (one === undefined ? 0 : nearness.of(one))
    return {
      turn,
      words: lexical.get(turn) ?? 0,
      near: [near(turn), near(turn.previous), near(turn.next)],
      factor: turnFactor(turn, question, weights),
    }
  }

  /** As `rankTurns` makes it, before its neighbours and its session count. */
  #score({ turn, words, near, factor }: OwnScore, weights: Weights, part: LearnedPart | undefined): number {
    const { question, bestLexical, liftOf } = this.#frame
    const [own, previous, next] = near
    const said = part === 'words_around' ? contextualScore(turn, question, weights) : words
    const meant = own + weights.previousMeaning * previous + weights.nextMeaning * next
    const isOutside = part === undefined || outsideOfFactor.has(part)
    const score =
      (said / bestLexical + (part === 'meaning' ? more : 1) * meant) *
      (isOutside ? factor : turnFactor(turn, question, weights))
    return score > 0 && isStanding(turn) ? score + liftOf(turn, weights) : score
  }
}
