import type { SummaryStyle } from '../../model/summary-style.ts'
import type { Candidate } from './candidates.ts'
import { lexRank, type TermCounts } from './lexrank.ts'
import { distinctOf } from './near-duplicates.ts'
import { styleWeight } from './style-weights.ts'

/** Sentences that are ranked against each other at once; ranking costs the square of it. */
const atOnce = 300
/** Of these go on. */
const winnersOfOnce = 60

/** LexRank favours short sentences, which resemble many, and a reader of a summary does not want very long ones. */
const tellingTerms = 8
const comfortableCharacters = 240

function sizeWeight(candidate: Candidate): number {
  return Math.min(1, candidate.terms.size / tellingTerms) * Math.min(1, comfortableCharacters / candidate.text.length)
}

export interface Scored {
  readonly candidate: Candidate
  readonly score: number
}

/** Gives each sentence its centrality among the others. */
export type RankSentences = (sentences: readonly TermCounts[]) => readonly number[]

/** LexRank that does not rank the same sentences twice in a row: those of several styles often are the same. */
export function rememberingLexRank(): RankSentences {
  let last: { readonly sentences: readonly TermCounts[]; readonly ranks: readonly number[] } | undefined
  return (sentences) => {
    const isSame =
      last?.sentences.length === sentences.length && last.sentences.every((one, at) => one === sentences[at])
    if (last === undefined || !isSame) last = { sentences, ranks: lexRank(sentences) }
    return last.ranks
  }
}

/** Ranks by centrality and style, best first; equals in the order of the conversation. Leaves out what the style rules out. */
export function score(
  candidates: readonly Candidate[],
  style: SummaryStyle,
  rankSentences: RankSentences = lexRank,
): Scored[] {
  const eligible = candidates.filter(
    (candidate) => styleWeight(style, { role: candidate.role, cues: candidate.cues, recency: 1 }) > 0,
  )
  const ranks = rankSentences(eligible.map(({ terms }) => terms))
  const newest = eligible.at(-1)?.order ?? 0
  const oldest = eligible[0]?.order ?? 0
  const scored = eligible.map((candidate, index) => {
    const recency = newest === oldest ? 1 : (candidate.order - oldest) / (newest - oldest)
    const weight = styleWeight(style, { role: candidate.role, cues: candidate.cues, recency })
    const { relevance = 1 } = candidate
    return { candidate, score: (ranks[index] ?? 0) * weight * sizeWeight(candidate) * relevance }
  })
  return scored.toSorted((a, b) => b.score - a.score || a.candidate.order - b.candidate.order)
}

interface Best {
  readonly style: SummaryStyle
  readonly count: number
  readonly rankSentences: RankSentences
}

/** The best of some, in the order of the conversation. What is said again and again in nearly the same words leaves room for the others. */
function best(candidates: readonly Candidate[], { style, count, rankSentences }: Best): Candidate[] {
  const { distinct, alike } = distinctOf(score(candidates, style, rankSentences).map(({ candidate }) => candidate))
  return [...distinct, ...alike].slice(0, count).toSorted((a, b) => a.order - b.order)
}

/**
 * Who is left of any number of sentences, in memory that is bounded: 300 at a time are ranked among each other and 60 of them go on,
 * and so do those that went on.
 */
export class Tournament {
  readonly #style: SummaryStyle
  readonly #rankSentences: RankSentences
  #waiting: Candidate[] = []
  #winners: Candidate[] = []

  constructor(style: SummaryStyle, rankSentences: RankSentences = lexRank) {
    this.#style = style
    this.#rankSentences = rankSentences
  }

  add(candidate: Candidate): void {
    this.#waiting.push(candidate)
    if (this.#waiting.length < atOnce) return
    this.#winners.push(...this.best(winnersOfOnce, this.#waiting))
    this.#waiting = []
    if (this.#winners.length >= atOnce) this.#winners = this.best(atOnce / 2, this.#winners)
  }

  /** The last ones go on whole: the newest state of a conversation is in them, and they are no more than the winners. */
  left(): readonly Candidate[] {
    return [...this.#winners, ...this.#waiting]
  }

  /** The best of those that are left, in the order of the conversation. */
  best(count: number, among = this.left()): Candidate[] {
    return best(among, { style: this.#style, count, rankSentences: this.#rankSentences })
  }
}
