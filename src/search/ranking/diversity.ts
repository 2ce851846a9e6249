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
 * Gives each page of the best results no more than so many places to what says nearly the same, and to one author, while others score
 * a share of what they take the place of. For questions that ask nobody by name, where one talkative agent would fill the page. What is
 * said again and again beside itself lifts itself, as neighbours and sessions that match do: others count from further down there.
 */
export function boundShares<T extends Scored>(
  ranked: readonly T[],
  context: {
    readonly authorOf?: (result: T) => string | undefined
    /** The number of those that say nearly the same, by place; undefined for one that is bounded by nothing. */
    readonly repeats?: readonly (number | undefined)[]
    readonly weights: Weights
    /** How many of the best. */
    readonly among?: number
  },
): T[] {
  const { authorOf, repeats, weights, among = reorderedMax } = context
  const shared = ranked
    .slice(0, among)
    .map((result, at) => ({ result, score: result.score, author: authorOf?.(result), repeat: repeats?.[at] }))
  const authors = new Places<string>(weights.authorPlaces)
  const groups = new Places<number>(weights.repeatPlaces)
  const bounded = reordered(shared, {
    among,
    choose: (left, taken) => {
      if (taken % pageResults === 0) for (const places of [authors, groups]) places.clear()
      const first = nearest(left, { from: 0, near: weights.repeatNear, fits: ({ repeat }) => groups.fits(repeat) })
      const at = nearest(left, {
        from: first,
        near: weights.authorNear,
        fits: ({ author, repeat }) =>
          authors.fits(author) && (groups.fits(repeat) || !groups.fits(left[first]?.repeat)),
      })
      const next = left[at]
      authors.take(next?.author)
      groups.take(next?.repeat)
      return { at, score: next?.score ?? 0 }
    },
  }).map(({ result, score }) => ({ ...result, score }))
  const last = bounded.at(-1)?.score ?? Infinity
  return [...bounded, ...ranked.slice(among).map((result) => ({ ...result, score: Math.min(last, result.score) }))]
}

/** The first that fits, from a place on; that place itself where no one fits that scores a share of what stands there. */
function nearest<T extends Scored>(
  left: readonly T[],
  { from, near, fits }: { readonly from: number; readonly near: number; readonly fits: (result: T) => boolean },
): number {
  const enough = near * (left[from]?.score ?? 0)
  // Scores never rise: behind the first that is not near, none is.
  for (let at = from; at < left.length; at++) {
    const result = left[at]
    if (result === undefined || result.score < enough) break
    if (fits(result)) return at
  }
  return from
}

/** How many places of a page each has; what is of nobody always fits. */
class Places<G> {
  readonly #max: number
  readonly #taken = new Map<G, number>()

  constructor(max: number) {
    this.#max = max
  }

  fits(of: G | undefined): boolean {
    return of === undefined || (this.#taken.get(of) ?? 0) < this.#max
  }

  take(of: G | undefined): void {
    if (of !== undefined) this.#taken.set(of, (this.#taken.get(of) ?? 0) + 1)
  }

  clear(): void {
    this.#taken.clear()
  }
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

/** What most results are of, where that is more than so many of ten; undefined otherwise. What is of nobody does not count. */
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
