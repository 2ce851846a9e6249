import { estimateTokens } from '../../model/text/tokens.ts'
import type { Embedder, EmbeddingModel, EmbedOptions } from '../../ports/embedder.ts'
import type { DailyBudget } from '../daily-budget.ts'

/**
 * An embedder whose paid calls, for documents and for queries, are held to the daily budget: a call that does not fit is not
 * made and fails as `over_budget` until tomorrow. One that costs nothing passes through.
 */
export class BudgetedEmbedder implements Embedder {
  readonly isPaid: boolean
  readonly limits: Embedder['limits']
  readonly #inner: Embedder
  readonly #budget: DailyBudget

  constructor(inner: Embedder, budget: DailyBudget) {
    this.isPaid = inner.isPaid
    this.limits = inner.limits
    this.#inner = inner
    this.#budget = budget
  }

  describe(options: { readonly signal: AbortSignal }): Promise<EmbeddingModel> {
    return this.#inner.describe(options)
  }

  async embed(texts: readonly string[], options: EmbedOptions): Promise<readonly Float32Array[]> {
    if (!this.isPaid) return await this.#inner.embed(texts, options)
    const { provider } = await this.#inner.describe(options)
    const tokens = texts.reduce((sum, text) => sum + estimateTokens(text), 0)
    await this.#budget.take(provider, tokens)
    return await this.#inner.embed(texts, options)
  }

  close(): Promise<void> {
    return this.#inner.close()
  }
}
