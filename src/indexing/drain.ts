import { messageOf } from '../errors.ts'
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

const pausedMs = 2_000

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
    this.#working = this.#drain().finally(() => {
      this.#working = undefined
      this.#options.onIdle?.()
    })
  }

  /** Looks again after a time. The earlier of two does not count. */
  wakeLater(delayMs: number): void {
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => this.wake(), delayMs)
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
      }
    } catch (error) {
      // The database went away: what is pending is still in the outbox.
      this.#options.log.warn(`${this.#options.name} paused: ${messageOf(error)}`)
      this.wakeLater(pausedMs)
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
