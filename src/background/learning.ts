import type { Config } from '../config.ts'
import { Drain } from '../indexing/drain.ts'
import type { LearnWorker, LearnWorkerDependencies } from '../insight/learning/learn-worker.ts'
import { patternsNow } from '../model/extractors.ts'
import type { Observer } from '../ports/observer.ts'
import { tenantIds } from '../store/access/tenants.ts'
import { leaveToLearnAnew } from '../store/learning/facts-anew.ts'
import { hasLearningWork } from '../store/learning/learning-work.ts'

export interface LearningDependencies extends LearnWorkerDependencies {
  readonly config: Pick<Config, 'dailyTokens' | 'learner'>
  readonly observer: Observer
}

/** A statement that leaves these holds up whoever else uses an embedded store: it is to be short, and what comes after it is left by the next. */
const sessionsAnewAtOnce = 500

/** Learns from what was indexed, and anew from what an earlier version has learned from. What does that is loaded when there is something to learn from, and no start waits for it. */
export class Learning {
  readonly #dependencies: LearningDependencies
  readonly #look: Drain
  #workers: readonly LearnWorker[] = []
  /** Whether all that an earlier version has found is left to be found anew. */
  #isLeftAnew = false

  constructor(dependencies: LearningDependencies) {
    this.#dependencies = dependencies
    const { log } = dependencies
    this.#look = new Drain({ name: 'learning', round: () => this.#round(), log })
  }

  wake(): void {
    if (this.#workers.length === 0 || !this.#isLeftAnew) this.#look.wake()
    for (const worker of this.#workers) worker.wake()
  }

  async stop(): Promise<void> {
    await this.#look.stop()
    await Promise.all(this.#workers.map((worker) => worker.stop()))
  }

  async #round(): Promise<boolean> {
    // What is new does not wait until all is looked through.
    await this.#load()
    if (this.#isLeftAnew) return false
    this.#isLeftAnew = await this.#leaveAnew()
    for (const worker of this.#workers) worker.wake()
    await this.#load()
    return !this.#isLeftAnew
  }

  /** Leaves sessions with facts of an earlier version to be read again. False where there may be more. */
  async #leaveAnew(): Promise<boolean> {
    const { database } = this.#dependencies
    let isAll = true
    for (const tenantId of await database.run(tenantIds)) {
      const about = { madeBy: patternsNow, limit: sessionsAnewAtOnce }
      if ((await database.run((sql) => leaveToLearnAnew(sql, tenantId, about))) === sessionsAnewAtOnce) isAll = false
    }
    return isAll
  }

  async #load(): Promise<void> {
    if (this.#workers.length > 0 || !(await this.#dependencies.database.run(hasLearningWork))) return
    const { openLearners } = await import('./open-learners.ts')
    this.#workers = await openLearners(this.#dependencies)
    for (const worker of this.#workers) worker.wake()
  }
}
