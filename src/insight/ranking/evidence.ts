import type { FeedbackRow } from '../../store/learning/recall-feedback.ts'

/** Two results of one search, of which the first was used and the second was not. */
export interface Pair {
  /** What the logarithms of their scores differ by with the usual weights, the first's less the second's. */
  readonly gap: number
  /** By how much that grows with the logarithm of each factor, in the order of the parts. */
  readonly effects: readonly number[]
  readonly weight: number
}

/** A result as it came to its score with the usual weights. */
export interface WeighedResult {
  readonly isUsed: boolean
  readonly logScore: number
  /** By how much that changes with the logarithm of each factor, in the order of the parts. */
  readonly effects: readonly number[]
}

/** A search with a result that was used. */
export interface SearchEvidence {
  readonly principal: string
  /** By whom which message was used: what is used again and again is one case. */
  readonly group: string
  /** For how much of a search it counts. */
  readonly share: number
  readonly results: readonly WeighedResult[]
  readonly pairs: readonly Pair[]
}

/**
 * Position bias: a result is looked at the less the further down it stands, so that its use tells the more. Inverse propensity
 * weighting with the propensity 1/rank, after Joachims, Swaminathan and Schnabel, "Unbiased Learning-to-Rank with Biased Feedback"
 * (WSDM 2017), and clipped, as one use of a late result is much chance.
 */
const inversePropensityMax = 10
/** The same message, used again and again by the same one, counts as so many searches at most. */
const usesOfMessageMax = 5
/** Where others search too, one counts as so many searches in any case, and beyond them for no more than all others together. */
const searchesOfOneMin = 50

/**
 * What searches tell of the order of their results. Each counts once, however many results were used, and the more the further down
 * they stood, scaled to a mean of 1 over all (self-normalized: Swaminathan and Joachims, NIPS 2015). A search of which all results
 * were used tells nothing.
 */
export function evidenceOf(rows: readonly FeedbackRow[], parts: readonly string[]): SearchEvidence[] {
  const searches = [...groupsOf(rows, ({ searchId }) => searchId).values()].flatMap((results) => {
    const used = results.filter(({ use }) => use !== 'passed')
    const passed = results.filter(({ use }) => use === 'passed')
    const [first] = used
    return first === undefined || passed.length === 0
      ? []
      : [{ principal: first.principal, group: `${first.principal} ${first.message}`, used, passed }]
  })
  const shares = sharesOf(searches)
  const mean = meanOf(searches.map(({ used }) => meanOf(used.map(inversePropensity))))
  const weighed = ({ use, logScore, effects }: FeedbackRow): WeighedResult => ({
    isUsed: use !== 'passed',
    logScore,
    effects: parts.map((part) => effects[part] ?? 0),
  })
  return searches.map(({ principal, group, used, passed }, index) => {
    const share = shares[index] ?? 0
    const others = passed.map(weighed)
    const pairs = used.flatMap((row) => {
      const one = weighed(row)
      const weight = (share * inversePropensity(row)) / mean / used.length / others.length
      return others.map((other) => ({
        gap: one.logScore - other.logScore,
        effects: one.effects.map((effect, part) => effect - (other.effects[part] ?? 0)),
        weight,
      }))
    })
    return { principal, group, share, results: [...used.map(weighed), ...others], pairs }
  })
}

function inversePropensity({ rank }: { readonly rank: number }): number {
  return Math.min(rank, inversePropensityMax)
}

/**
 * For how much of a search each counts: less where the same one used the same message again and again, and where one searches far
 * more than all others.
 */
function sharesOf(
  searches: readonly { readonly principal: string; readonly used: readonly FeedbackRow[] }[],
): readonly number[] {
  const messageOf = ({ principal, message }: FeedbackRow) => `${principal} ${message}`
  const uses = groupsOf(
    searches.flatMap(({ used }) => used),
    messageOf,
  )
  const byPrincipal = groupsOf(searches, ({ principal }) => principal)
  return searches.map(({ principal, used }) => {
    const own = byPrincipal.get(principal)?.length ?? 0
    const others = searches.length - own
    const allowed = others === 0 ? own : Math.max(searchesOfOneMin, others)
    const repeated = meanOf(used.map((one) => Math.min(1, usesOfMessageMax / (uses.get(messageOf(one))?.length ?? 1))))
    return repeated * Math.min(1, allowed / own)
  })
}

function groupsOf<T>(things: readonly T[], keyOf: (thing: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const thing of things) {
    const group = groups.get(keyOf(thing)) ?? []
    groups.set(keyOf(thing), group)
    group.push(thing)
  }
  return groups
}

function meanOf(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}
