import { Drain } from '../../indexing/drain.ts'
import { limits } from '../../limits.ts'
import type { Log } from '../../log.ts'
import { writeAudit } from '../../store/audit/audit-log.ts'
import type { Database } from '../../store/database.ts'
import { saveLearned, staleRankings } from '../../store/learning/ranking-weights.ts'
import { forgetUnusable, readFeedback, trimFeedback } from '../../store/learning/recall-feedback.ts'
import { inTransaction } from '../../store/transaction.ts'
import { learnFactors } from './learn-factors.ts'

export interface RankLearnerDependencies {
  readonly database: Database
  readonly log: Log
}

/** Wakes come with every save. */
const lookMs = 1_000
const tenantsPerRound = 10
/** Of a thousand searches it takes half a second, in which this thread does nothing else: so many times as long it rests after that. */
const restTimes = 50

/**
 * Learns the weights of the ranking from which results were used, where that has changed: anew from all that is kept, which is bounded
 * so that what was erased has no part in it. Several processes that do it come to the same.
 */
export class RankLearner {
  readonly #dependencies: RankLearnerDependencies
  readonly #drain: Drain
  #restsUntilMs = 0

  constructor(dependencies: RankLearnerDependencies) {
    this.#dependencies = dependencies
    this.#drain = new Drain({ name: 'learning of the ranking', round: () => this.#round(), log: dependencies.log })
  }

  /** Says that something may have been used. Cheap; call it as often as you like. */
  wake(): void {
    this.#drain.wakeLater(Math.max(lookMs, this.#restsUntilMs - performance.now()))
  }

  async stop(): Promise<void> {
    await this.#drain.stop()
  }

  async #round(): Promise<boolean> {
    // A wake from before the rest began comes too early.
    const restMs = this.#restsUntilMs - performance.now()
    if (restMs > 0) {
      this.#drain.wakeLater(restMs)
      return false
    }
    const stale = await this.#dependencies.database.run((sql) => staleRankings(sql, tenantsPerRound))
    const startedMs = performance.now()
    for (const { tenantId, changes } of stale) await this.#learn(tenantId, changes)
    const endedMs = performance.now()
    if (stale.length > 0) this.#restsUntilMs = endedMs + restTimes * (endedMs - startedMs)
    return stale.length === tenantsPerRound
  }

  async #learn(tenantId: number, changes: number): Promise<void> {
    const { database } = this.#dependencies
    const rows = await database.run(async (sql) => {
      await trimFeedback(sql, tenantId, limits.rankingSearchesMax)
      await forgetUnusable(sql, tenantId)
      return await readFeedback(sql, tenantId)
    })
    const lesson = learnFactors(rows)
    const times = rows.map(({ atMs }) => atMs).toSorted((a, b) => a - b)
    const learned = { ...lesson, tenantId, changes, firstAtMs: times[0], lastAtMs: times.at(-1) }
    await database.run((sql) =>
      inTransaction(sql, async (transaction) => {
        // The order of results changes with it: its row in the log says so to whoever has kept one.
        if ((await saveLearned(transaction, learned)) === 'changed')
          await writeAudit(
            transaction,
            { tenantId, principal: 'verbatim', client: 'verbatim' },
            { action: 'ranking.learn', outcome: 'ok', count: lesson.searches },
          )
      }),
    )
  }
}
