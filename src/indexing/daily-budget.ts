import { ProviderError } from '../ports/provider-error.ts'
import type { Database } from '../store/database.ts'
import { inTransaction } from '../store/transaction.ts'
import { takeTokens } from '../store/work/provider-usage.ts'

/** Tokens that paid calls may use a day, in UTC, over all providers and processes of a store. */
export class DailyBudget {
  readonly #database: Database
  readonly #tokensMax: number

  constructor(database: Database, tokensMax: number) {
    this.#database = database
    this.#tokensMax = tokensMax
  }

  /**
   * Takes the tokens of a paid call that is about to be made; they are spent also where it fails halfway, as a provider counts
   * what it was sent. Throws ProviderError `over_budget` where they do not fit in today's budget.
   */
  async take(provider: string, tokens: number): Promise<void> {
    const now = new Date()
    const usage = { provider, tokens, now, tokensMax: this.#tokensMax }
    const isTaken =
      this.#tokensMax > 0 &&
      (await this.#database.run((sql) => inTransaction(sql, (transaction) => takeTokens(transaction, usage))))
    if (!isTaken) throw new ProviderError(provider, 'over_budget', { retryAfterMs: msUntilTomorrow(now) })
  }
}

/** Until the budget begins anew. */
function msUntilTomorrow(now: Date): number {
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1) - now.getTime()
}
