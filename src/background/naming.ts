import type { Config } from '../config.ts'
import { Drain } from '../indexing/drain.ts'
import type { NameWorker, NameWorkerDependencies } from '../naming/name-worker.ts'
import type { Observer } from '../ports/observer.ts'
import { hasNameWork } from '../store/names/name-work.ts'

export interface NamingDependencies extends NameWorkerDependencies {
  readonly config: Pick<Config, 'dailyTokens' | 'names'>
  readonly observer: Observer
}

/** Has a model look for names in what was indexed. What does that is loaded when there is something to look through, and no start waits for it. */
export class Naming {
  readonly #dependencies: NamingDependencies
  readonly #look: Drain
  #worker: NameWorker | undefined

  constructor(dependencies: NamingDependencies) {
    this.#dependencies = dependencies
    this.#look = new Drain({ name: 'looking for names', round: () => this.#load(), log: dependencies.log })
  }

  wake(): void {
    if (this.#worker === undefined) this.#look.wake()
    else this.#worker.wake()
  }

  async stop(): Promise<void> {
    await this.#look.stop()
    await this.#worker?.stop()
  }

  async #load(): Promise<boolean> {
    if (this.#worker !== undefined || !(await this.#dependencies.database.run(hasNameWork))) return false
    const { openNameWorker } = await import('./open-name-worker.ts')
    this.#worker = await openNameWorker(this.#dependencies)
    this.#worker?.wake()
    return false
  }
}
