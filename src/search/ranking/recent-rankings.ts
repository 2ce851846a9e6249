import { limits } from '../../limits.ts'
import type { Cache, Caches } from '../../model/caches.ts'
import type { Expansion } from '../query/expand-query.ts'
import type { ParsedQuery } from '../query/query-text.ts'
import type { Ranking } from './rank.ts'

/** A ranking and what it was made with. */
export interface KeptRanking {
  readonly ranking: Ranking
  /** The queries as they were searched for. */
  readonly queries: readonly ParsedQuery[]
  readonly expansion: Expansion | undefined
  /** Of `storeVersion`: from before anything was looked at. */
  readonly version: string
  /**
   * Whether all that was saved before it counted, in every way that was asked for. What did not will, without another version:
   * vectors are made in the background.
   */
  readonly isComplete: boolean
}

/** Whose question it is. What somebody may see, and so what is found, differs. */
interface RankingKey {
  readonly tenantId: number
  readonly principalId?: string | undefined
  /** The query with its filters, as a cursor names it. */
  readonly question: string
}

/** Ids, ranks and scores. */
const messageBytes = 200
const termBytes = 250
const characterBytes = 2

/**
 * The rankings of the latest searches: places and scores, no content, which is read anew for every reply as its reader may see it.
 * Who turns pages waits once for the ranking and sees one order. Kept in the process; whether one is still good, the version of
 * the store tells, whichever process has changed it.
 */
export class RecentRankings {
  readonly #kept: Cache<KeptRanking>

  constructor(caches: Caches) {
    this.#kept = caches.open('rankings', { sizeOf: sizeOfRanking, keptMs: limits.rankingKeptMs })
  }

  /** What was found by meaning has done its work in the ranking and is not kept. */
  keep(key: RankingKey, kept: KeptRanking): void {
    const { semantic } = kept.ranking
    const lists = semantic.lists.map((list) => ({ ...list, matches: [] }))
    this.#kept.set(textOf(key), { ...kept, ranking: { ...kept.ranking, semantic: { ...semantic, lists } } })
  }

  /** The last one for the question, to be used where it is of the version that the store has. */
  find(key: RankingKey): KeptRanking | undefined {
    return this.#kept.peek(textOf(key))
  }

  /** Counts whether it could be used. */
  count(isUsed: boolean): void {
    this.#kept.count(isUsed)
  }
}

function textOf({ tenantId, principalId, question }: RankingKey): string {
  return `${tenantId} ${principalId ?? ''} ${question}`
}

function sizeOfRanking({ ranking, queries, expansion, version }: KeptRanking): number {
  const parsed = queries.reduce((sum, query) => sum + 2 * query.text.length + query.terms.length * termBytes, 0)
  const words = (expansion?.words ?? []).reduce((sum, word) => sum + word.length, 0)
  return ranking.messages.length * messageBytes + parsed + (words + version.length) * characterBytes
}
