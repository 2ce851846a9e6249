import { groupAlike, type Sketch } from './sketches.ts'
import type { Weights } from './weights.ts'

/** So many of the best results are put into another order, where nothing else is said; what comes after keeps its own. */
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
  return reordered(ranked, {
    among: reorderedMax,
    choose: (left) => {
      const scores = left.map(counted)
      const score = Math.max(...scores)
      const at = scores.indexOf(score)
      const next = left[at]
      if (next !== undefined) taken.set(sessionOf(next), (taken.get(sessionOf(next)) ?? 0) + 1)
      return { at, score }
    },
  })
}

/**
 * Bounds an author's share of the best results: of ten places one author has at most so many, while what others say scores
 * nearly as well. For questions that ask nobody by name, where one talkative agent would fill the page.
 */
export function boundAuthors<T extends Scored>(
  ranked: readonly T[],
  context: {
    readonly authorOf: (result: T) => string | undefined
    readonly weights: Weights
    /** Of how many of the best. */
    readonly among?: number
  },
): T[] {
  const { authorOf: groupOf, weights, among = reorderedMax } = context
  return boundGroups(ranked, { groupOf, among, places: weights.authorPlaces, near: weights.authorNear })
}

/**
 * Bounds how many of the best results say nearly the same, whoever says it: of ten places they have at most so many, while others
 * score a share of it. What is said again and again beside itself lifts itself, as neighbours and sessions that match do: others
 * count from further down here. `sketches` are of the best, in their order; undefined where there is none.
 */
export function boundRepeats<T extends Scored>(
  ranked: readonly T[],
  { sketches, weights }: { readonly sketches: readonly (Sketch | undefined)[]; readonly weights: Weights },
): T[] {
  const groups = groupAlike(sketches, weights.repeatShare)
  const groupOf = (_: T, at: number) => groups[at]
  return boundGroups(ranked, {
    groupOf,
    among: sketches.length,
    places: weights.repeatPlaces,
    near: weights.repeatNear,
  })
}

/** Gives each page to no group more than so many of its places, while others score at least a share of what they take the place of. */
function boundGroups<T extends Scored>(
  ranked: readonly T[],
  {
    groupOf,
    among,
    places,
    near,
  }: {
    readonly groupOf: (result: T, at: number) => string | number | undefined
    readonly among: number
    readonly places: number
    readonly near: number
  },
): T[] {
  const grouped = ranked
    .slice(0, among)
    .map((result, at) => ({ result, score: result.score, group: groupOf(result, at) }))
  if (new Set(grouped.map(({ group }) => group)).size <= 1) return [...ranked]
  const onPage = new Map<string | number | undefined, number>()
  const bounded = reordered(grouped, {
    among,
    choose: (left, taken) => {
      if (taken % pageResults === 0) onPage.clear()
      const nearScore = near * (left[0]?.score ?? 0)
      // Scores never rise: behind the first that is not near, none is.
      const found = left.findIndex(({ group, score }) => score < nearScore || (onPage.get(group) ?? 0) < places)
      const at = (left[found]?.score ?? 0) < nearScore ? 0 : found
      const next = left[at]
      if (next !== undefined) onPage.set(next.group, (onPage.get(next.group) ?? 0) + 1)
      return { at, score: next?.score ?? 0 }
    },
  }).map(({ result, score }) => ({ ...result, score }))
  const last = bounded.at(-1)?.score ?? Infinity
  return [...bounded, ...ranked.slice(among).map((result) => ({ ...result, score: Math.min(last, result.score) }))]
}

/**
 * The best of some results, `limit` of them and in their order, of which one author has at most his share of places as long as
 * others have said something that is there.
 */
export function boundShare<T>(
  ranked: readonly T[],
  {
    limit,
    authorOf,
    weights,
  }: { readonly limit: number; readonly authorOf: (result: T) => string | undefined; readonly weights: Weights },
): T[] {
  const placesMax = Math.floor((limit * weights.authorPlaces) / pageResults)
  const places = new Map<string | undefined, number>()
  const within = new Set<T>()
  const beyond: T[] = []
  for (const result of ranked) {
    if (within.size === limit) break
    const taken = places.get(authorOf(result)) ?? 0
    places.set(authorOf(result), taken + 1)
    if (taken < placesMax) within.add(result)
    else beyond.push(result)
  }
  for (const result of beyond.slice(0, limit - within.size)) within.add(result)
  return ranked.filter((result) => within.has(result))
}

/** Who has written more than his share of some results; undefined where nobody has. */
export function dominantAuthor<T>(
  results: readonly T[],
  { authorOf, weights }: { readonly authorOf: (result: T) => string | undefined; readonly weights: Weights },
): string | undefined {
  return dominant(results.map(authorOf), weights.authorPlaces)
}

/** What more of some results are of than the share of one: of ten so many. Undefined where nothing is; what is undefined does not count. */
export function dominant<G>(groups: readonly (G | undefined)[], places: number): G | undefined {
  const counts = new Map<G, number>()
  for (const group of groups) if (group !== undefined) counts.set(group, (counts.get(group) ?? 0) + 1)
  const [most] = [...counts].toSorted(([, a], [, b]) => b - a)
  return most !== undefined && most[1] > (groups.length * places) / pageResults ? most[0] : undefined
}

/** Lets `choose` take one result after the other by its place among those that are left. Scores never rise from one to the next. */
function reordered<T extends Scored>(
  ranked: readonly T[],
  {
    among,
    choose,
  }: {
    readonly among: number
    readonly choose: (left: readonly T[], taken: number) => { readonly at: number; readonly score: number }
  },
): T[] {
  const left = ranked.slice(0, among)
  const ordered: T[] = []
  let last = Infinity
  while (left.length > 0) {
    const { at, score } = choose(left, ordered.length)
    last = Math.min(last, score)
    ordered.push(...left.splice(at, 1).map((result) => ({ ...result, score: last })))
  }
  return [...ordered, ...ranked.slice(among).map((result) => ({ ...result, score: Math.min(last, result.score) }))]
}
