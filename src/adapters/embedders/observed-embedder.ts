import { estimateTokens } from '../../model/text/tokens.ts'
import type { Embedder, EmbeddingModel, EmbedOptions } from '../../ports/embedder.ts'
import type { Observer } from '../../ports/observer.ts'

/** An embedder whose every call is told to an observer, as it was made: each attempt by itself. */
export class ObservedEmbedder implements Embedder {
  readonly #inner: Embedder
  readonly #provider: string
  readonly #observer: Observer

  constructor(inner: Embedder, provider: string, observer: Observer) {
    this.#inner = inner
    this.#provider = provider
    this.#observer = observer
  }

  get isPaid(): boolean {
    return this.#inner.isPaid
  }

  get limits(): Embedder['limits'] {
    return this.#inner.limits
  }

  describe(options: { readonly signal: AbortSignal }): Promise<EmbeddingModel> {
    // Mostly known without asking: what is counted is `embed`.
    return this.#inner.describe(options)
  }

  embed(texts: readonly string[], options: EmbedOptions): Promise<readonly Float32Array[]> {
    const tokens = texts.reduce((sum, text) => sum + estimateTokens(text), 0)
    return this.#observer.during({ kind: 'provider', provider: this.#provider, call: 'embed', tokens }, () =>
      this.#inner.embed(texts, options),
    )
  }

  close(): Promise<void> {
    return this.#inner.close()
  }
}
