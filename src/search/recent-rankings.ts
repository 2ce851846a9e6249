import type { Ranking } from './rank.ts'

/** A ranking has 500 messages at most, some 100 kB. */
const keptMax = 16

/** What a ranking was made of: another question, or a store that was changed since, gets another. */
interface RankingKey {
  readonly tenantId: number
  /** The query with its filters, as a cursor names it. */
  readonly question: string
  /** Of `storeVersion`. */
  readonly version: string
}

/**
 * The rankings of the latest searches, so that who turns pages waits once for the ranking and sees one order. Kept in the
 * process: another one that is asked for a later page makes its own, which is the same while the store is.
 */
export class RecentRankings {
  readonly #kept = new Map<string, Ranking>()

  keep(key: RankingKey, ranking: Ranking): void {
    const text = textOf(key)
    this.#kept.delete(text)
    this.#kept.set(text, ranking)
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= keptMax) break
      this.#kept.delete(oldest)
    }
  }

  find(key: RankingKey): Ranking | undefined {
    return this.#kept.get(textOf(key))
  }
}

function textOf({ tenantId, question, version }: RankingKey): string {
  return `${tenantId} ${version} ${question}`
}
