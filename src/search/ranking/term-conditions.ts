import type { TermCondition } from '../../store/search/score-units.ts'
import type { CorpusStatistics } from '../../store/search/search-units.ts'
import type { TermPlan } from './bm25.ts'

/** A unit with any of the words that score. */
export function anyOf(plan: TermPlan): TermCondition {
  return { any: plan.terms.map(({ term }) => term) }
}

/** Units that meet a condition, at most. */
export function documentsOf(condition: TermCondition, statistics: CorpusStatistics): number {
  const counts = ('any' in condition ? condition.any : condition.all).map((term) => statistics.documents.get(term) ?? 0)
  return 'any' in condition ? counts.reduce((sum, count) => sum + count, 0) : Math.min(...counts)
}
