import { limits } from '../../limits.ts'
import { partNames } from '../../search/ranking/learned-parts.ts'
import type { Factors } from '../../store/learning/ranking-weights.ts'
import type { FeedbackRow } from '../../store/learning/recall-feedback.ts'
import { evidenceOf, type SearchEvidence } from './evidence.ts'
import { fitFactors } from './fit-factors.ts'

/** What feedback teaches. */
export interface Lesson {
  /** Undefined where the usual weights hold. */
  readonly factors: Factors | undefined
  readonly searches: number
  readonly principals: number
  /** By what share used results stand better on searches that were held back; undefined where there are too few. */
  readonly gain: number | undefined
}

/** Each fifth is judged by factors that were fitted to the others. */
const folds = 5
/** Of so many standard errors at least the gain must be: less is chance. */
const standardErrorsMin = 2
/** Fewer different cases show nothing. */
const groupsMin = 8
const roundedTo = 100
const bounds = { logFactorMax: Math.log(limits.rankingFactorMax) }

/**
 * Learns factors of the ranking's parts from which results were used. They count only where there are enough searches and where, fitted
 * to a part of them, they put used results higher than the usual weights on the rest.
 */
export function learnFactors(rows: readonly FeedbackRow[]): Lesson {
  const evidence = evidenceOf(rows, partNames)
  const principals = new Set(evidence.map(({ principal }) => principal)).size
  const seen = { searches: evidence.length, principals }
  const counted = evidence.reduce((sum, { share }) => sum + share, 0)
  if (counted < limits.rankingSearchesMin) return { ...seen, factors: undefined, gain: undefined }
  const { gain, isCertain } = gainOf(evidence)
  if (!isCertain) return { ...seen, factors: undefined, gain }
  const fitted = fitFactors(pairsOf(evidence), partNames.length, bounds)
  const factors = partNames.flatMap((part, index): [string, number][] => {
    const factor = Math.round(Math.exp(fitted[index] ?? 0) * roundedTo) / roundedTo
    return factor === 1 ? [] : [[part, factor]]
  })
  return { ...seen, factors: factors.length === 0 ? undefined : Object.fromEntries(factors), gain }
}

/**
 * By what share used results stand better than with the usual weights, as discounted gain (DCG: Järvelin and Kekäläinen 2002), on
 * searches that the factors were not fitted to, and whether that is more than chance. Ranks are not corrected here: as people use
 * what stands high, the usual order has the advantage.
 */
function gainOf(evidence: readonly SearchEvidence[]): { readonly gain: number; readonly isCertain: boolean } {
  const usual = evidence.map((search) => search.share * discountedGain(search, []))
  // What is the same case is held back together, and counts as one.
  const groups = new Map([...new Set(evidence.map(({ group }) => group))].map((group, index) => [group, index]))
  const groupOf = ({ group }: SearchEvidence) => groups.get(group) ?? 0
  const changes = Array.from({ length: groups.size }, () => 0)
  for (let fold = 0; fold < folds; fold++) {
    const rest = evidence.filter((search) => groupOf(search) % folds !== fold)
    const fitted = fitFactors(pairsOf(rest), partNames.length, bounds)
    for (const [index, search] of evidence.entries()) {
      const group = groupOf(search)
      if (group % folds !== fold) continue
      changes[group] = (changes[group] ?? 0) + search.share * discountedGain(search, fitted) - (usual[index] ?? 0)
    }
  }
  if (groups.size < groupsMin) return { gain: 0, isCertain: false }
  const mean = meanOf(changes)
  const variance = meanOf(changes.map((change) => (change - mean) ** 2))
  const standardError = Math.sqrt(variance / changes.length)
  const total = usual.reduce((sum, value) => sum + value, 0)
  return { gain: (mean * changes.length) / total, isCertain: mean > standardErrorsMin * standardError }
}

/** Of the used results, by the ranks that they have with some factors. */
function discountedGain({ results }: SearchEvidence, logFactors: readonly number[]): number {
  const scored = results.map(({ isUsed, logScore, effects }) => ({
    isUsed,
    score: logFactors.reduce((sum, factor, part) => sum + factor * (effects[part] ?? 0), logScore),
  }))
  const ordered = scored.toSorted((a, b) => b.score - a.score)
  return ordered.reduce((sum, { isUsed }, index) => sum + (isUsed ? 1 / Math.log2(index + 2) : 0), 0)
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
}

function pairsOf(evidence: readonly SearchEvidence[]) {
  return evidence.flatMap(({ pairs }) => pairs)
}
