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

interface Vector {
  readonly weights: ReadonlyMap<string, number>
  readonly norm: number
}

interface Edge {
  readonly to: number
  readonly similarity: number
}

/** Inverse document frequency with each sentence as a document: ln(1 + n / df), above 0 for a term of every sentence too. */
export function inverseFrequencies(sentences: readonly TermCounts[]): Map<string, number> {
  const idf = new Map<string, number>()
  for (const terms of sentences) for (const term of terms.keys()) idf.set(term, (idf.get(term) ?? 0) + 1)
  for (const [term, frequency] of idf) idf.set(term, Math.log(1 + sentences.length / frequency))
  return idf
}

/** Cosine of tf·idf vectors, in [0, 1]; the idf-modified cosine of Erkan and Radev. 0 for a sentence without terms. */
export function idfModifiedCosine(a: TermCounts, b: TermCounts, idf: ReadonlyMap<string, number>): number {
  const left = vectorOf(a, idf)
  const right = vectorOf(b, idf)
  return cosine(left, right)
}

/**
 * Continuous LexRank (Erkan and Radev 2004, "LexRank: Graph-based Lexical Centrality as Salience in Text Summarization",
 * section 3.3): sentences vote for those they resemble, with the idf-modified cosine as the weight of the vote; ranks are the
 * stationary distribution of that walk. Returns one rank a sentence, scaled so that the average is 1. Deterministic.
 * Compares only sentences that share a term; at most O(n²) of them, so the caller bounds n.
 */
export function lexRank(sentences: readonly TermCounts[], options: LexRankOptions = {}): number[] {
  const damping = options.damping ?? 0.85
  const convergence = options.convergence ?? 0.001
  const edges = edgesOf(sentences)
  const totals = edges.map((list) => list.reduce((sum, { similarity }) => sum + similarity, 0))
  let ranks = sentences.map(() => 1)
  for (let iteration = 0; iteration < iterationsMax; iteration++) {
    const next = sentences.map(() => 1 - damping)
    for (const [from, list] of edges.entries()) {
      const vote = (damping * (ranks[from] ?? 0)) / (totals[from] ?? 1)
      for (const { to, similarity } of list) next[to] = (next[to] ?? 0) + vote * similarity
    }
    const moved = next.reduce((most, rank, index) => Math.max(most, Math.abs(rank - (ranks[index] ?? 0))), 0)
    ranks = next
    if (moved < convergence) break
  }
  return ranks
}

/** For each sentence those it resembles, itself included: the diagonal keeps the total of an isolated sentence above 0. */
function edgesOf(sentences: readonly TermCounts[]): Edge[][] {
  const idf = inverseFrequencies(sentences)
  const vectors = sentences.map((terms) => vectorOf(terms, idf))
  const holders = new Map<string, number[]>()
  for (const [index, { weights }] of vectors.entries()) {
    for (const term of weights.keys()) {
      const known = holders.get(term)
      if (known === undefined) holders.set(term, [index])
      else known.push(index)
    }
  }
  return vectors.map((vector, from) => {
    const products = new Map<number, number>()
    for (const [term, weight] of vector.weights) {
      for (const to of holders.get(term) ?? []) {
        products.set(to, (products.get(to) ?? 0) + weight * (vectors[to]?.weights.get(term) ?? 0))
      }
    }
    products.delete(from)
    const edges: Edge[] = [{ to: from, similarity: 1 }]
    for (const [to, product] of products)
      edges.push({ to, similarity: product / (vector.norm * (vectors[to]?.norm ?? 1)) })
    return edges
  })
}

function vectorOf(terms: TermCounts, idf: ReadonlyMap<string, number>): Vector {
  const weights = new Map<string, number>()
  let squares = 0
  for (const [term, count] of terms) {
    const weight = count * (idf.get(term) ?? 1)
    weights.set(term, weight)
    squares += weight * weight
  }
  return { weights, norm: Math.sqrt(squares) }
}

function cosine(a: Vector, b: Vector): number {
  if (a.norm === 0 || b.norm === 0) return 0
  let product = 0
  for (const [term, weight] of a.weights) product += weight * (b.weights.get(term) ?? 0)
  return Math.min(1, product / (a.norm * b.norm))
}
