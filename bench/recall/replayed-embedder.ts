import type { Embedder, EmbeddingModel, EmbedOptions } from '../../src/ports/embedder.ts'
import type { Question } from './dataset.ts'

/** Bits of a question's number, each a member of its vector. */
const dimensions = 16
const member = 1 / Math.sqrt(dimensions)
/** Stands for every text that is no question of the ranking: documents above all. */
const noQuestion = 0

/** A vector of length 1 that holds a number below 65,536 in the signs of its members. */
export function vectorOfNumber(number: number): Float32Array {
  return Float32Array.from({ length: dimensions }, (_, bit) => (((number >> bit) & 1) === 1 ? member : -member))
}

export function numberOfVector(vector: Float32Array): number {
  return vector.reduce((number, value, bit) => (value > 0 ? number | (1 << bit) : number), noQuestion)
}

/** The numbers of questions by their text: all of the same text, which several conversations may ask, have one. */
export function numberQuestions(questions: readonly Question[]): ReadonlyMap<string, number> {
  const texts = [...new Set(questions.map(({ question }) => question))]
  return new Map(texts.map((text, at) => [text, at + 1]))
}

/** An embedder that knows no language: it says of a query which question of the ranking it is. */
export class ReplayedEmbedder implements Embedder {
  readonly isPaid = false
  readonly limits = { textsPerCallMax: 1_000, tokensPerTextMax: 8_192 } as const
  readonly #numbers: ReadonlyMap<string, number>

  constructor(questions: readonly Question[]) {
    this.#numbers = numberQuestions(questions)
  }

  describe(): Promise<EmbeddingModel> {
    return Promise.resolve({ provider: 'replayed', name: 'text-embedding-3-small', dimensions, revision: '1' })
  }

  embed(texts: readonly string[], options: EmbedOptions): Promise<readonly Float32Array[]> {
    const numberOf = (text: string) => (options.purpose === 'query' ? this.#numbers.get(text) : undefined)
    return Promise.resolve(texts.map((text) => vectorOfNumber(numberOf(text) ?? noQuestion)))
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
