import { limits } from '../../limits.ts'
import type { WeightedTerm } from '../../store/search/score-units.ts'
import type { CorpusStatistics } from '../../store/search/search-units.ts'
import { sourceOrder, type TermSource } from '../query/query-text.ts'

/** One term of a query, hashed: how much the query cares for it, and which word it is a form of. */
export interface HashedTerm {
  readonly term: bigint
  readonly weight: number
  readonly group: number
  /** A function word: it is left out while the query has another word. */
  readonly lowValue: boolean
  /** What the query is about chooses candidates first, and no result is missing for want of an added term. */
  readonly source: TermSource
}

/** A term with its BM25 weight. */
export interface PlannedTerm extends WeightedTerm {
  readonly source: TermSource
}

export interface TermPlan {
  /** The terms that choose the candidates: the rarest, as many as the budget allows. Empty where nothing can match. */
  readonly essential: readonly bigint[]
  /** The terms that score candidates, with their BM25 weights: function words only where there is nothing else. */
  readonly terms: readonly PlannedTerm[]
  /** The same with the function words, which only weigh what was found. */
  readonly all: readonly PlannedTerm[]
  /** True where every unit that holds a telling term is a candidate: no result can be missing. */
  readonly exhaustive: boolean
}

/** The inverse document frequency of Robertson and Spärck Jones in the always positive form that Lucene uses. */
function inverseDocumentFrequency(documents: number, units: number): number {
  return Math.log(1 + (units - documents + 0.5) / (documents + 0.5))
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
    .toSorted((a, b) => sourceOrder[a.source] - sourceOrder[b.source] || a.documents - b.documents)
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
  const weighted = ({ term, weight, group, source, documents }: (typeof known)[number]): PlannedTerm => ({
    term,
    group,
    source,
    weight: weight * inverseDocumentFrequency(documents, Math.max(statistics.units, documents)),
  })
  return {
    essential,
    terms: choosing.map(weighted),
    all: known.map(weighted),
    exhaustive: essential.length >= choosing.filter(({ source }) => source !== 'added').length && budget >= 0,
  }
}
