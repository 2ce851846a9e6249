import type { Weights } from './weights.ts'

/** So many of the best results are put into another order; what comes after keeps its own. */
export const reorderedMax = 60
/** A page as most callers ask for it. */
const pageResults = 10

interface Scored {
  readonly score: number
}

/** Takes the best of what is left again and again, a session's results counting less with each that was taken of it. */
export function spreadOverSessions<T extends Scored>(
  ranked: readonly T[],
  context: { readonly sessionOf: (result: T) => string; readonly weights: Weights },
): T[] {
  const { sessionOf, weights } = context
  const taken = new Map<string, number>()
  const counted = (result: T) => result.score / (1 + weights.sessionRepeat * (taken.get(sessionOf(result)) ?? 0))
  return reordered(ranked, (left) => {
    const scores = left.map(counted)
    const score = Math.max(...scores)
    const at = scores.indexOf(score)
    const next = left[at]
    if (next !== undefined) taken.set(sessionOf(next), (taken.get(sessionOf(next)) ?? 0) + 1)
    return { at, score }
  })
}

/**
 * Bounds an author's share of the best results: of ten places one author has at most so many, while what others say scores
 * nearly as well. For questions that ask nobody by name, where one talkative agent would fill the page.
 */
export function boundAuthors<T extends Scored>(
  ranked: readonly T[],
  context: { readonly authorOf: (result: T) => string | undefined; readonly weights: Weights },
): T[] {
  const { authorOf, weights } = context
  const onPage = new Map<string | undefined, number>()
  return reordered(ranked, (left, taken) => {
    if (taken % pageResults === 0) onPage.clear()
    const other = left.findIndex((result) => (onPage.get(authorOf(result)) ?? 0) < weights.authorPlaces)
    const isNear = (left[other]?.score ?? 0) >= weights.authorNear * (left[0]?.score ?? 0)
    const at = other >= 0 && isNear ? other : 0
    const next = left[at]
    if (next !== undefined) onPage.set(authorOf(next), (onPage.get(authorOf(next)) ?? 0) + 1)
    return { at, score: next?.score ?? 0 }
  })
}

/** Lets `choose` take one result after the other by its place among those that are left. Scores never rise from one to the next. */
function reordered<T extends Scored>(
  ranked: readonly T[],
  choose: (left: readonly T[], taken: number) => { readonly at: number; readonly score: number },
): T[] {
  const left = ranked.slice(0, reorderedMax)
  const ordered: T[] = []
  let last = Infinity
  while (left.length > 0) {
    const { at, score } = choose(left, ordered.length)
    last = Math.min(last, score)
    ordered.push(...left.splice(at, 1).map((result) => ({ ...result, score: last })))
  }
  return [
    ...ordered,
    ...ranked.slice(reorderedMax).map((result) => ({ ...result, score: Math.min(last, result.score) })),
  ]
}
