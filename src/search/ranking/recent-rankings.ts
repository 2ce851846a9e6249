import { BoundedMap } from '../../model/bounded-map.ts'
import type { Expansion } from '../query/expand-query.ts'
import type { ParsedQuery } from '../query/query-text.ts'
import type { Ranking } from './rank.ts'

/** A ranking and what it was made with. */
export interface KeptRanking {
  readonly ranking: Ranking
  /** The queries as they were searched for. */
  readonly queries: readonly ParsedQuery[]
  readonly expansion: Expansion | undefined
}

/** 500 messages each at most, some 100 kB. */
const keptMax = 16

/** What a ranking was made of: another question, or a store that was changed since, gets another. */
interface RankingKey {
  readonly tenantId: number
  readonly principalId?: string | undefined
  /** The query with its filters, as a cursor names it. */
  readonly question: string
  /** Of `storeVersion`. */
  readonly version: string
}

/**
 * The rankings of the latest searches, so that who turns pages waits once for the ranking and sees one order. Kept in the
 * process: another one that is asked for a later page makes its own.
 */
export class RecentRankings {
  readonly #kept = new BoundedMap<string, KeptRanking>(keptMax)

  /** What was found by meaning has done its work in the ranking and is not kept. */
  keep(key: RankingKey, kept: KeptRanking): void {
    const { semantic } = kept.ranking
    const lists = semantic.lists.map((list) => ({ ...list, matches: [] }))
    this.#kept.set(textOf(key), { ...kept, ranking: { ...kept.ranking, semantic: { ...semantic, lists } } })
  }

  find(key: RankingKey): KeptRanking | undefined {
    return this.#kept.get(textOf(key))
  }
}

function textOf({ tenantId, principalId, question, version }: RankingKey): string {
  return `${tenantId} ${principalId ?? ''} ${version} ${question}`
}
