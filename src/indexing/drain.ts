import { describeForLog, UnavailableError } from '../errors.ts'
import type { Log } from '../log.ts'

export interface DrainOptions {
  /** What is drained, for the log. */
  readonly name: string
  /** Works off a bounded piece; true where there may be more. */
  readonly round: () => Promise<boolean>
  readonly log: Log
  /** Told when everything that was pending is done, or has to wait. */
  readonly onIdle?: (() => void) | undefined
}

/** After a failure; doubled with each further one in a row. */
const pausedMs = 2_000
const pausedMsMax = 300_000
/** A database that was away is asked again this soon: to ask costs nothing, and searches wait for the work. */
const unavailableMsMax = 5_000
const timerMsMax = 2 ** 31 - 1

/**
 * Drains work round by round. States: `idle` (nothing pending: waits for `wake`), `working`, `stopping` (finishes the round
 * it is in). A wake while working makes it look once more before it goes idle.
 */
export class Drain {
  readonly #options: DrainOptions
  #working: Promise<void> | undefined
  #wokenAgain = false
  #stopping = false
  #retry: NodeJS.Timeout | undefined
  #retryAtMs = Infinity
  #failures = 0

  constructor(options: DrainOptions) {
    this.#options = options
  }

  /** Says that something may have been committed. Cheap; call it as often as you like. */
  wake(): void {
    if (this.#stopping) return
    if (this.#working !== undefined) {
      this.#wokenAgain = true
      return
    }
    if (this.#failures > 1 && this.#retryAtMs < Infinity) {
      // What failed twice costs something each time: it waits for its turn, whoever else saves meanwhile.
      this.#options.onIdle?.()
      return
    }
    this.#working = this.#drain().finally(() => {
      this.#working = undefined
      this.#options.onIdle?.()
    })
  }

  /** Looks again after a time; of two times the earlier counts. */
  wakeLater(delayMs: number): void {
    const atMs = performance.now() + delayMs
    if (this.#stopping || atMs >= this.#retryAtMs) return
    clearTimeout(this.#retry)
    this.#retryAtMs = atMs
    // A timer counts in 31 bits: a longer wait looks once in between.
    this.#retry = setTimeout(
      () => {
        this.#retryAtMs = Infinity
        this.wake()
      },
      Math.min(delayMs, timerMsMax),
    )
    this.#retry.unref()
  }

  async stop(): Promise<void> {
    this.#stopping = true
    clearTimeout(this.#retry)
    await this.#working
  }

  async #drain(): Promise<void> {
    try {
      let more = true
      while (more && !this.#isStopping()) {
        this.#wokenAgain = false
        // A round that was full may not have been the last.
        more = (await this.#options.round()) || this.#wasWokenAgain()
        this.#failures = 0
      }
    } catch (error) {
      // The database went away: what is pending is still in the outbox.
      this.#options.log.warn(`${this.#options.name} paused: ${describeForLog(error)}`)
      const pauseMsMax = error instanceof UnavailableError ? unavailableMsMax : pausedMsMax
      this.wakeLater(Math.min(pausedMs * 2 ** this.#failures, pauseMsMax))
      this.#failures += 1
    }
  }

  // Methods, because the fields change while a round is awaited.
  #isStopping(): boolean {
    return this.#stopping
  }

  #wasWokenAgain(): boolean {
    return this.#wokenAgain
  }
}
