import { limits } from '../limits.ts'
import type { WeightedTerm } from '../store/score-units.ts'
import type { CorpusStatistics } from '../store/search-units.ts'

/** One term of a query, hashed: how much the query cares for it, and which word it is a form of. */
export interface HashedTerm {
  readonly term: bigint
  readonly weight: number
  readonly group: number
  /** A function word: it is left out while the query has another word. */
  readonly lowValue: boolean
  /** It is no word of the query: it chooses candidates after those, and no result is missing for want of it. */
  readonly isAdded?: boolean | undefined
  /** It is about the asking: it chooses candidates after what the query is about. */
  readonly isAsking?: boolean | undefined
}

export interface TermPlan {
  /** The terms that choose the candidates: the rarest, as many as the budget allows. Empty where nothing can match. */
  readonly essential: readonly bigint[]
  /** The terms that score candidates, with their BM25 weights: function words only where there is nothing else. */
  readonly terms: readonly WeightedTerm[]
  /** The same with the function words, which only weigh what was found. */
  readonly all: readonly WeightedTerm[]
  /** True where every unit that holds a telling term is a candidate: no result can be missing. */
  readonly exhaustive: boolean
}

/** The inverse document frequency of Robertson and Spärck Jones in the always positive form that Lucene uses. */
function inverseDocumentFrequency(documents: number, units: number): number {
  return Math.log(1 + (units - documents + 0.5) / (documents + 0.5))
}

/** The query's own words come first, then those of the asking, then added ones. */
function placeOf({ isAdded, isAsking }: HashedTerm): number {
  return isAdded === true ? 2 : isAsking === true ? 1 : 0
}

/**
 * Decides which terms choose candidates and which only score, after the idea of MaxScore (Turtle and Flood 1995): common
 * terms add little to a score and would make every message a candidate, so that the cost of a search stays bounded however
 * large the store is. `candidatesMax` is in units.
 */
export function planTerms(
  query: readonly HashedTerm[],
  statistics: CorpusStatistics,
  candidatesMax: number = limits.searchCandidatesMax,
): TermPlan {
  // A term that the statistics do not know yet may have been indexed a moment ago: it counts as the rarest.
  const known = query
    .map((term) => ({ ...term, documents: statistics.documents.get(term.term) ?? 0 }))
    .toSorted((a, b) => placeOf(a) - placeOf(b) || a.documents - b.documents)
  const telling = known.filter(({ lowValue }) => !lowValue)
  // Function words would cost a look at every candidate and change no order.
  const choosing = telling.length > 0 ? telling : known
  const essential: bigint[] = []
  let budget = candidatesMax
  for (const { term, documents } of choosing) {
    if (essential.length > 0 && documents > budget) break
    essential.push(term)
    budget -= documents
  }
  const weighted = ({ term, weight, group, isAdded, isAsking, documents }: (typeof known)[number]): WeightedTerm => ({
    term,
    group,
    isAdded,
    isAsking,
    weight: weight * inverseDocumentFrequency(documents, Math.max(statistics.units, documents)),
  })
  return {
    essential,
    terms: choosing.map(weighted),
    all: known.map(weighted),
    exhaustive: essential.length >= choosing.filter(({ isAdded }) => isAdded !== true).length && budget >= 0,
  }
}
