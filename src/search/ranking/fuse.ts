import type { RankedTurn } from './conversation.ts'
import { placeKey } from './conversation.ts'
import type { SemanticList } from './semantic.ts'
import type { Weights } from './weights.ts'

/** How near each turn is in meaning, as far as a list names it. 0 for others. */
export class Nearness {
  readonly #places = new Map<string, number>()
  /** The best rank of a place, from 1. */
  readonly #ranks = new Map<string, number>()

  constructor(lists: readonly SemanticList[], weights: Weights) {
    for (const { weight, matches } of lists) {
      const seen = new Set<string>()
      for (const { sessionId, firstSeq } of matches) {
        const key = placeKey({ sessionId, seq: firstSeq })
        // A long message has several parts: the nearest counts.
        if (seen.has(key)) continue
        seen.add(key)
        this.#places.set(key, Math.max(this.#places.get(key) ?? 0, weight * reciprocalRank(seen.size, weights)))
        this.#ranks.set(key, Math.min(this.#ranks.get(key) ?? Infinity, seen.size))
      }
    }
  }

  of(turn: RankedTurn): number {
    return this.#places.get(placeKey(turn)) ?? 0
  }

  rankOf(turn: RankedTurn): number | undefined {
    return this.#ranks.get(placeKey(turn))
  }
}

/** Reciprocal rank fusion (Cormack, Clarke and Büttcher 2009), scaled to 1 for the first. */
function reciprocalRank(rank: number, { fusionRank }: Weights): number {
  return (fusionRank + 1) / (fusionRank + rank)
}

/**
 * One score of words and meaning: the share of the best score by words, and the nearness in meaning of the turn and of its
 * neighbours. Words keep their distances, as a name or a number that fits is worth more than its rank; meanings are ranks,
 * as similarities of different models mean different things.
 */
export function fuse(
  turns: readonly RankedTurn[],
  lexical: readonly number[],
  context: { readonly nearness: Nearness; readonly weights: Weights },
): number[] {
  const { nearness, weights } = context
  const best = bestOf(lexical)
  const near = (turn: RankedTurn | undefined) => (turn === undefined ? 0 : nearness.of(turn))
  return turns.map(
    (turn, index) =>
      (lexical[index] ?? 0) / best +
      near(turn) +
      weights.previousMeaning * near(turn.previous) +
      weights.nextMeaning * near(turn.next),
  )
}

/** The best score by words, of which the others are shares. */
export function bestOf(lexical: readonly number[]): number {
  return lexical.reduce((max, score) => Math.max(max, score), Number.MIN_VALUE)
}
