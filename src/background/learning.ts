import type { Config } from '../config.ts'
import { Drain } from '../indexing/drain.ts'
import type { LearnWorker, LearnWorkerDependencies } from '../insight/learning/learn-worker.ts'
import type { Observer } from '../ports/observer.ts'
import { hasLearningWork } from '../store/learning/learning-work.ts'

export interface LearningDependencies extends LearnWorkerDependencies {
  readonly config: Pick<Config, 'dailyTokens' | 'learner'>
  readonly observer: Observer
}

/** Learns from what was indexed. What does that is loaded when there is something to learn from, and no start waits for it. */
export class Learning {
  readonly #dependencies: LearningDependencies
  readonly #look: Drain
  #workers: readonly LearnWorker[] = []

  constructor(dependencies: LearningDependencies) {
    this.#dependencies = dependencies
    const { log } = dependencies
    this.#look = new Drain({ name: 'learning', round: () => this.#load(), log })
  }

  wake(): void {
    if (this.#workers.length === 0) this.#look.wake()
    for (const worker of this.#workers) worker.wake()
  }

  async stop(): Promise<void> {
    await this.#look.stop()
    await Promise.all(this.#workers.map((worker) => worker.stop()))
  }

  async #load(): Promise<boolean> {
    if (this.#workers.length > 0 || !(await this.#dependencies.database.run(hasLearningWork))) return false
    const { openLearners } = await import('./open-learners.ts')
    this.#workers = await openLearners(this.#dependencies)
    this.wake()
    return false
  }
}
