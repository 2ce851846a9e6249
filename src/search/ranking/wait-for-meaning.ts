import { setTimeout as sleep } from 'node:timers/promises'

import { limits } from '../../limits.ts'
import { ProviderError } from '../../ports/provider-error.ts'
import type { Database } from '../../store/database.ts'
import { embedTopic, outboxBacklog, waitingReason } from '../../store/work/outbox.ts'
import { waitForVectors } from '../wait-for-index.ts'

/** Between two looks whether a model is there. */
const lookMs = 100
/** Of a longer backlog what was saved last may be done first, but all of it is not done in a moment. */
const awaitedMax = 64

/**
 * What a search by meaning alone waits for, as it has nothing else to go by: a process that begins to offer a model, the first vectors of a
 * store, and those of what was saved right before it. All of it within the time of the search.
 */
export class WaitForMeaning {
  readonly #database: Database
  readonly #tenantId: number
  readonly #signal: AbortSignal
  readonly #untilOffered = performance.now() + limits.searchMeaningOfferMs

  constructor({ database }: { readonly database: Database }, tenantId: number, signal: AbortSignal) {
    this.#database = database
    this.#tenantId = tenantId
    this.#signal = signal
  }

  get #isOver(): boolean {
    return this.#signal.aborted || performance.now() > this.#untilOffered
  }

  /**
   * What there is to search, asked for again while there is nothing and messages are to get vectors. Where those were put off, as the
   * provider fails, nobody knows for how long.
   */
  async forFirst<T>(read: () => Promise<readonly T[]>): Promise<readonly T[]> {
    for (let isAwaited = true; ;) {
      const found = await read()
      if (found.length > 0 || !isAwaited || this.#isOver) return found
      isAwaited = (await waitForVectors(this.#database, this.#tenantId, lookMs)) > 0 && !(await this.#arePutOff())
    }
  }

  async #arePutOff(): Promise<boolean> {
    return (await this.#database.run((sql) => waitingReason(sql, this.#tenantId, embedTopic))) !== undefined
  }

  /** The vector of a query, asked for again while no process offers the model. */
  async forOffer<T>(embed: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await embed()
      } catch (error) {
        if (!isNotOffered(error) || this.#isOver) throw error
        await sleep(lookMs)
      }
    }
  }

  /** Waits for the vectors that are being made, where those are few. */
  async forVectors(): Promise<void> {
    const { messages } = await this.#database.run((sql) => outboxBacklog(sql, this.#tenantId, { topic: embedTopic }))
    if (messages > 0 && messages <= awaitedMax && !this.#signal.aborted)
      await waitForVectors(this.#database, this.#tenantId)
  }
}

/** Whether no process offers the model, or not yet. */
export function isNotOffered(error: unknown): boolean {
  return error instanceof ProviderError && error.failure === 'not_offered'
}
