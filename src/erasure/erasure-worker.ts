import { Drain } from '../indexing/drain.ts'
import type { Log } from '../log.ts'
import { eraseTopic } from '../store/erasure/erasure-work.ts'
import { giveBackRewrites } from '../store/erasure/rewrite-work.ts'
import { msUntilDue } from '../store/work/outbox.ts'
import { workOffRewrite } from './rewrite-files.ts'
import { workOffErasure, type RunDependencies } from './run-erasure.ts'

/** Wakes come with every save. */
const lookMs = 1_000

/** Goes on, in the background, with erasures that were interrupted or wait for something that did not answer. */
export class ErasureWorker {
  readonly #dependencies: RunDependencies
  readonly #drain: Drain
  #hasBegun = false

  constructor(dependencies: RunDependencies & { readonly log: Log }) {
    this.#dependencies = dependencies
    this.#drain = new Drain({ name: 'erasing', round: () => this.#round(), log: dependencies.log })
  }

  /** Says that there may be work. Cheap; call it as often as you like. */
  wake(): void {
    this.#drain.wakeLater(lookMs)
  }

  async stop(): Promise<void> {
    await this.#drain.stop()
  }

  async #round(): Promise<boolean> {
    const { database } = this.#dependencies
    // One process owns an embedded store: whoever has begun to write its files anew before this one has ended.
    if (!this.#hasBegun && database.kind === 'embedded') await database.run(giveBackRewrites)
    this.#hasBegun = true
    // The files last: what is to be erased is out of them then.
    if ((await workOffErasure(this.#dependencies)) || (await workOffRewrite(database))) return true
    const dueMs = await database.run((sql) => msUntilDue(sql, eraseTopic))
    if (dueMs !== undefined) this.#drain.wakeLater(Math.max(dueMs, lookMs))
    return false
  }
}
