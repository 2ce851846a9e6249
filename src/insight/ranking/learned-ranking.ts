import { limits } from '../../limits.ts'
import type { Caller } from '../../model/access.ts'
import { learnedParts, partNames, scaled } from '../../search/ranking/learned-parts.ts'
import { weights as usualWeights, type Weights } from '../../search/ranking/weights.ts'
import { writeAudit } from '../../store/audit/audit-log.ts'
import type { Database } from '../../store/database.ts'
import { deleteLearned, readLearnedRanking } from '../../store/learning/ranking-weights.ts'
import { forgetFeedback } from '../../store/learning/recall-feedback.ts'
import { inTransaction } from '../../store/transaction.ts'

/** One weight, as it is and as it usually is. */
interface WeightDocument {
  readonly name: keyof Weights
  readonly usual: number
  readonly now: number
}

/** The weights that use teaches, and what they were learned from. */
export interface RankingDocument {
  readonly state: 'usual' | 'learned'
  /** Searches with a result that was opened or cited, and of how many callers. */
  readonly searches: number
  readonly searches_needed: number
  readonly callers: number
  readonly since: string | null
  readonly until: string | null
  readonly learned_at: string | null
  /** By what share used results stand better on searches that were held back, as discounted gain. */
  readonly gain: number | null
  /** Whether something was used since that was not learned from yet. */
  readonly is_behind: boolean
  readonly parts: readonly {
    readonly part: string
    readonly factor: number
    readonly weights: readonly WeightDocument[]
  }[]
}

const roundedTo = 1_000
const rounded = (value: number) => Math.round(value * roundedTo) / roundedTo

export async function readRanking(database: Database, { tenantId }: Caller): Promise<RankingDocument> {
  const learned = await database.run((sql) => readLearnedRanking(sql, tenantId))
  const factors = learned?.factors
  const now = scaled(usualWeights, factors ?? {})
  return {
    state: factors === undefined ? 'usual' : 'learned',
    searches: learned?.searches ?? 0,
    searches_needed: limits.rankingSearchesMin,
    callers: learned?.principals ?? 0,
    since: learned?.firstAt ?? null,
    until: learned?.lastAt ?? null,
    learned_at: learned?.learnedAt ?? null,
    gain: learned?.gain === undefined || learned.gain === null ? null : rounded(learned.gain),
    is_behind: learned?.isStale ?? false,
    parts: partNames.map((part) => ({
      part,
      factor: factors?.[part] ?? 1,
      weights: learnedParts[part].map((name) => ({ name, usual: usualWeights[name], now: rounded(now[name]) })),
    })),
  }
}

/** Forgets which results were used, and goes back to the usual weights. Returns of how many searches that was. */
export async function resetRanking(database: Database, caller: Caller): Promise<number> {
  const { tenantId } = caller
  return await database.run((sql) =>
    inTransaction(sql, async (transaction) => {
      const searches = await forgetFeedback(transaction, tenantId)
      await deleteLearned(transaction, tenantId)
      await writeAudit(transaction, caller, { action: 'ranking.reset', outcome: 'ok', count: searches })
      return searches
    }),
  )
}
