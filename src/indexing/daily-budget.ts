import type { Database } from '../store/database.ts'
import { addTokensUsed, tokensUsed } from '../store/provider-usage.ts'

/** Tokens that paid calls may use a day, in UTC, over all providers and processes of a store. */
export class DailyBudget {
  readonly #database: Database
  readonly #tokensMax: number

  constructor(database: Database, tokensMax: number) {
    this.#database = database
    this.#tokensMax = tokensMax
  }

  /** Whether `tokens` more fit in today's budget. */
  async allows(tokens: number, now: Date): Promise<boolean> {
    if (this.#tokensMax === 0) return false
    const used = await this.#database.run((sql) => tokensUsed(sql, now))
    return used + tokens <= this.#tokensMax
  }

  /** To be called for each paid call, also one that fails halfway: a provider counts what it was sent. */
  async spend(provider: string, tokens: number, now: Date): Promise<void> {
    await this.#database.run((sql) => addTokensUsed(sql, { provider, tokens, now }))
  }

  /** Milliseconds until the budget begins anew. */
  msUntilTomorrow(now: Date): number {
    return Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1) - now.getTime()
  }
}
