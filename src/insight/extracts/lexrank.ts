/** Term counts of one sentence. */
export type TermCounts = ReadonlyMap<string, number>

export interface LexRankOptions {
  /** How much of a sentence's rank comes from its neighbours; the rest is equal for all. Default 0.85. */
  readonly damping?: number
  /** The iteration ends when no rank moves by more than this fraction of an average rank. Default 0.001. */
  readonly convergence?: number
}

/**
 * With damping d the distance to the fixed point shrinks at least by d in each step, so 0.85^60 < 0.0001 bounds the work
 * for every graph, also one that has not met `convergence` by then.
 */
const iterationsMax = 60

export interface Vector {
  readonly weights: ReadonlyMap<string, number>
  readonly norm: number
}

/** Inverse document frequency with each sentence as a document: ln(1 + n / df), above 0 for a term of every sentence too. */
export function inverseFrequencies(sentences: readonly TermCounts[]): Map<string, number> {
  const idf = new Map<string, number>()
  for (const terms of sentences) for (const term of terms.keys()) idf.set(term, (idf.get(term) ?? 0) + 1)
  for (const [term, frequency] of idf) idf.set(term, Math.log(1 + sentences.length / frequency))
  return idf
}

/**
 * Continuous LexRank (Erkan and Radev 2004, "LexRank: Graph-based Lexical Centrality as Salience in Text Summarization",
 * section 3.3): sentences vote for those they resemble, with the idf-modified cosine as the weight of the vote; ranks are the
 * stationary distribution of that walk. Returns one rank a sentence, scaled so that the average is 1. Deterministic.
 * O(n²) in time and memory (n = 600: 3 MB), so the caller bounds n.
 */
export function lexRank(sentences: readonly TermCounts[], options: LexRankOptions = {}): number[] {
  const damping = options.damping ?? 0.85
  const convergence = options.convergence ?? 0.001
  const count = sentences.length
  const votes = voteMatrix(sentences)
  let ranks = new Float64Array(count).fill(1)
  for (let iteration = 0; iteration < iterationsMax; iteration++) {
    const next = new Float64Array(count).fill(1 - damping)
    for (let from = 0; from < count; from++) {
      const given = damping * (ranks[from] ?? 0)
      const row = from * count
      for (let to = 0; to < count; to++) next[to] = (next[to] ?? 0) + given * (votes[row + to] ?? 0)
    }
    let moved = 0
    for (let index = 0; index < count; index++)
      moved = Math.max(moved, Math.abs((next[index] ?? 0) - (ranks[index] ?? 0)))
    ranks = next
    if (moved < convergence) break
  }
  return [...ranks]
}

/**
 * Row by row how a sentence shares out its one vote. A sentence resembles itself fully, as in the paper, which also keeps the
 * total of an isolated one above 0. Only sentences that share a term are visited when the products are summed.
 */
function voteMatrix(sentences: readonly TermCounts[]): Float64Array {
  const count = sentences.length
  const idf = inverseFrequencies(sentences)
  const vectors = sentences.map((terms) => vectorOf(terms, idf))
  const holders = new Map<string, { readonly index: number; readonly weight: number }[]>()
  const votes = new Float64Array(count * count)
  for (const [index, { weights, norm }] of vectors.entries()) {
    for (const [term, weight] of weights) {
      const others = holders.get(term) ?? []
      if (others.length === 0) holders.set(term, others)
      for (const other of others) {
        const at = other.index * count + index
        votes[at] = (votes[at] ?? 0) + weight * other.weight
      }
      others.push({ index, weight })
    }
    for (let other = 0; other < index; other++) {
      const at = other * count + index
      const product = votes[at] ?? 0
      const similarity = product === 0 ? 0 : product / (norm * (vectors[other]?.norm ?? 1))
      votes[at] = similarity
      votes[index * count + other] = similarity
    }
    votes[index * count + index] = 1
  }
  for (let row = 0; row < count; row++) {
    const ofRow = votes.subarray(row * count, (row + 1) * count)
    const total = ofRow.reduce((sum, value) => sum + value, 0)
    for (let at = 0; at < count; at++) ofRow[at] = (ofRow[at] ?? 0) / total
  }
  return votes
}

/** The tf·idf vector of a sentence. */
export function vectorOf(terms: TermCounts, idf: ReadonlyMap<string, number>): Vector {
  const weights = new Map<string, number>()
  let squares = 0
  for (const [term, count] of terms) {
    const weight = count * (idf.get(term) ?? 1)
    weights.set(term, weight)
    squares += weight * weight
  }
  return { weights, norm: Math.sqrt(squares) }
}

/** The idf-modified cosine of Erkan and Radev, in [0, 1]; 0 for a sentence without terms. */
export function cosine(a: Vector, b: Vector): number {
  if (a.norm === 0 || b.norm === 0) return 0
  let product = 0
  for (const [term, weight] of a.weights) product += weight * (b.weights.get(term) ?? 0)
  return Math.min(1, product / (a.norm * b.norm))
}
