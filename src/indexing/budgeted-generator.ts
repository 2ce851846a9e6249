import { estimateTokens } from '../model/text/tokens.ts'
import type { GenerationBounds, GenerationRequest, TextGenerator } from '../ports/text-generator.ts'
import type { DailyBudget } from './daily-budget.ts'

/** A model whose paid calls are held to the daily budget, as those of `BudgetedEmbedder` are; the answer counts in full. */
export class BudgetedGenerator implements TextGenerator {
  readonly provider: string
  readonly model: string
  readonly isPaid: boolean
  readonly #inner: TextGenerator
  readonly #budget: DailyBudget

  constructor(inner: TextGenerator, budget: DailyBudget) {
    this.provider = inner.provider
    this.model = inner.model
    this.isPaid = inner.isPaid
    this.#inner = inner
    this.#budget = budget
  }

  async generate(request: GenerationRequest, options: GenerationBounds): Promise<string> {
    if (!this.isPaid) return await this.#inner.generate(request, options)
    const tokens = estimateTokens(request.instructions) + estimateTokens(request.text) + request.tokensMax
    await this.#budget.take(this.provider, tokens)
    return await this.#inner.generate(request, options)
  }
}
