/** Which model makes the vectors. Two vectors are comparable only where all four agree. */
export interface EmbeddingModel {
  /** `gemini`, `openai-compatible`, `local` or `onnx`. */
  readonly provider: string
  readonly name: string
  readonly dimensions: number
  /** Differs whenever the same text would get another vector: a digest of the weights, a version of the preparation. */
  readonly revision: string
}

/** Some models place questions and answers differently: a document is what is searched, a query what is searched with. */
export type EmbeddingPurpose = 'document' | 'query'

export interface EmbedOptions {
  readonly purpose: EmbeddingPurpose
  readonly signal: AbortSignal
  /** Where what failed is tried again, no attempt begins later than this after the call; by default as long as suits the purpose. */
  readonly retryMs?: number | undefined
}

/**
 * Turns texts into vectors. A failure is a ProviderError, except that a call whose signal is aborted throws the signal's
 * reason. Nothing is tried again here.
 */
export interface Embedder {
  /** True where a call costs money: it counts against the daily budget. */
  readonly isPaid: boolean
  /** Texts that one call takes at most, and tokens of one text that the model reads; what is beyond is cut. */
  readonly limits: { readonly textsPerCallMax: number; readonly tokensPerTextMax: number }
  /** The model; asks the provider where the configuration does not say how many dimensions it has. */
  describe(options: { readonly signal: AbortSignal }): Promise<EmbeddingModel>
  /**
   * One vector of length 1 a text, in the order of the texts; never an all-zero one. Throws LimitError where there are
   * more than `textsPerCallMax` texts, InputError where one of them is blank.
   */
  embed(texts: readonly string[], options: EmbedOptions): Promise<readonly Float32Array[]>
  /** Gives back what the embedder holds; calls that are under way fail. Closing again does nothing. */
  close(): Promise<void>
}
