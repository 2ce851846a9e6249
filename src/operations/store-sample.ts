import { setTimeout as sleep } from 'node:timers/promises'

import { describeForLog } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Database } from '../store/database.ts'
import { outboxState, type TopicState } from '../store/work/outbox-state.ts'
import { embedTopic, indexTopic } from '../store/work/outbox.ts'
import { tokensUsed } from '../store/work/provider-usage.ts'

/** What the store says of itself. */
export interface StoreSample {
  readonly topics: readonly TopicState[]
  readonly tokensToday: number
}

const waitMs = 2_000
/** Several who read the metrics, or one who reads them often, ask the store no more often than this. */
const keptMs = 2_000

/** Asks the store how it is; undefined where it does not answer in time. */
export class StoreSampler {
  readonly #database: Pick<Database, 'run'>
  readonly #log: Log
  #last: { readonly atMs: number; readonly sample: Promise<StoreSample | undefined> } | undefined

  constructor(database: Pick<Database, 'run'>, log: Log) {
    this.#database = database
    this.#log = log
  }

  sample(): Promise<StoreSample | undefined> {
    const nowMs = performance.now()
    if (this.#last === undefined || nowMs - this.#last.atMs > keptMs) this.#last = { atMs: nowMs, sample: this.#ask() }
    return this.#last.sample
  }

  async #ask(): Promise<StoreSample | undefined> {
    const asked = this.#database
      .run(async (sql) => ({
        topics: await outboxState(sql, [indexTopic, embedTopic]),
        tokensToday: await tokensUsed(sql, new Date()),
      }))
      // That the store does not answer is what the metrics tell then.
      .catch((error: unknown) => {
        this.#log.warn(`metrics: the store did not answer: ${describeForLog(error)}`)
        return undefined
      })
    return await Promise.race([asked, sleep(waitMs, undefined, { ref: false })])
  }
}
