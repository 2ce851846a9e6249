/** A page as most callers ask for it, and the places on it that one author takes at most. */
const pageResults = 10
const authorMax = 8
/** Of the best results, so many are looked at. */
export const boundedMax = 60
/** What another author says must score so much of what it takes the place of. */
const shareMin = 0.5

interface Scored {
  readonly score: number
}

/**
 * Bounds an author's share of the best results: of ten places one author has at most eight, while what others say scores at
 * least half as well. For questions that ask nobody by name, where one talkative agent would fill the page.
 */
export function boundAuthors<T extends Scored>(ranked: readonly T[], authorOf: (result: T) => string | undefined): T[] {
  const left = ranked.slice(0, boundedMax)
  const ordered: T[] = []
  const onPage = new Map<string | undefined, number>()
  let last = Infinity
  while (left.length > 0) {
    if (ordered.length % pageResults === 0) onPage.clear()
    const at = nextOf(left, (result) => (onPage.get(authorOf(result)) ?? 0) < authorMax)
    const [next] = left.splice(at, 1)
    if (next === undefined) break
    onPage.set(authorOf(next), (onPage.get(authorOf(next)) ?? 0) + 1)
    // Scores never rise from one result to the next.
    last = Math.min(last, next.score)
    ordered.push({ ...next, score: last })
  }
  return [...ordered, ...ranked.slice(boundedMax).map((result) => ({ ...result, score: Math.min(last, result.score) }))]
}

/** The place of the best that has room, where it is near enough to the best of all; else that of the best. */
function nextOf<T extends Scored>(left: readonly T[], hasRoom: (result: T) => boolean): number {
  const at = left.findIndex(hasRoom)
  const [best, other] = [left[0], left[at]]
  return best !== undefined && other !== undefined && other.score >= shareMin * best.score ? at : 0
}
