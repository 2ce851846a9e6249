import { Drain } from '../indexing/drain.ts'
import type { RankLearner, RankLearnerDependencies } from '../insight/ranking/rank-learner.ts'
import { staleRankings } from '../store/learning/ranking-weights.ts'

/** Wakes come with every save. */
const lookMs = 1_000

/** Learns the ranking from use. What does that is loaded when a result was used, and no start waits for it. */
export class RankLearning {
  readonly #dependencies: RankLearnerDependencies
  readonly #look: Drain
  #learner: RankLearner | undefined

  constructor(dependencies: RankLearnerDependencies) {
    this.#dependencies = dependencies
    this.#look = new Drain({ name: 'learning of the ranking', round: () => this.#load(), log: dependencies.log })
  }

  wake(): void {
    if (this.#learner === undefined) this.#look.wakeLater(lookMs)
    else this.#learner.wake()
  }

  async stop(): Promise<void> {
    await this.#look.stop()
    await this.#learner?.stop()
  }

  async #load(): Promise<boolean> {
    const stale = await this.#dependencies.database.run((sql) => staleRankings(sql, 1))
    if (this.#learner !== undefined || stale.length === 0) return false
    const { RankLearner } = await import('../insight/ranking/rank-learner.ts')
    this.#learner = new RankLearner(this.#dependencies)
    this.wake()
    return false
  }
}
