import { estimateTokens } from '../../model/text/tokens.ts'
import type { Candidate } from './candidates.ts'
import { cosine, inverseFrequencies, type Vector, vectorOf } from './lexrank.ts'
import type { Scored } from './rank.ts'

/** Carbonell and Goldstein 1998: relevance against likeness to what was already chosen. */
const mmrRelevance = 0.7
/** Sentences this alike say the same, or what became of it: the last of them stands for all, even if the budget has room. */
const duplicateSimilarity = 0.75

export interface Room {
  readonly tokens: number
  readonly count: number
}

interface Entry {
  readonly candidate: Candidate
  readonly score: number
  readonly vector: Vector
  readonly cost: number
  /** To what is chosen. */
  similarity: number
}

/** Picks sentences by maximal marginal relevance, as long as there is room for them. */
export class Picker {
  readonly chosen: Candidate[] = []
  readonly #entries: readonly Entry[]
  readonly #top: number
  readonly #room: Room
  #spent = 0

  constructor(scored: readonly Scored[], room: Room) {
    const idf = inverseFrequencies(scored.map(({ candidate }) => candidate.terms))
    this.#entries = scored.map((entry) => ({
      ...entry,
      vector: vectorOf(entry.candidate.terms, idf),
      cost: estimateTokens(entry.candidate.text) + 1,
      similarity: 0,
    }))
    this.#top = scored[0]?.score ?? 1
    this.#room = room
  }

  /** Picks among some of the sentences one after the other, until the room for these, or for all, is filled. */
  pick(among: readonly Candidate[], room: Partial<Room> = {}): void {
    const some = new Set(among)
    const entries = this.#entries.filter(({ candidate }) => some.has(candidate))
    const countMax = Math.min(this.#room.count, this.chosen.length + (room.count ?? Infinity))
    const tokensMax = Math.min(this.#room.tokens, this.#spent + (room.tokens ?? Infinity))
    while (this.chosen.length < countMax) {
      const left = tokensMax - this.#spent
      const pick = this.#best(entries, left)
      if (pick === undefined) return
      const alike = entries.filter(
        ({ cost, vector }) => cost <= left && cosine(vector, pick.vector) > duplicateSimilarity,
      )
      const last = alike.reduce((later, one) => (one.candidate.order > later.candidate.order ? one : later), pick)
      this.chosen.push(last.candidate)
      this.#spent += last.cost
      for (const entry of this.#entries) {
        const similarity = Math.max(cosine(entry.vector, pick.vector), cosine(entry.vector, last.vector))
        entry.similarity = entry === pick || entry === last ? 1 : Math.max(entry.similarity, similarity)
      }
    }
  }

  #best(entries: readonly Entry[], left: number): Entry | undefined {
    let best: Entry | undefined
    let bestValue = -Infinity
    for (const entry of entries) {
      if (entry.cost > left || entry.similarity > duplicateSimilarity) continue
      const value = mmrRelevance * (entry.score / this.#top) - (1 - mmrRelevance) * entry.similarity
      if (value > bestValue) {
        best = entry
        bestValue = value
      }
    }
    return best
  }
}
