import { setTimeout as sleep } from 'node:timers/promises'

/** So long after somebody was served nobody is. An agent's calls are further apart, those of a program that asks on and on are not. */
const quietDefaultMs = 100
/** Who is served without end does not keep the work from going on for ever. */
const longestDefaultMs = 5_000

interface StandBackTimes {
  readonly quietMs: number
  readonly longestMs: number
}

/** Lets long work that nobody waits for stand back while others are served by the same engine and the same processors. */
export class StandBack {
  readonly #times: StandBackTimes
  #servedAt = -Infinity

  constructor({ quietMs = quietDefaultMs, longestMs = longestDefaultMs }: Partial<StandBackTimes> = {}) {
    this.#times = { quietMs, longestMs }
  }

  /** Says that somebody is served. Cheap; call it as often as you like. */
  served(): void {
    this.#servedAt = performance.now()
  }

  /** Resolves when nobody was served for `quietMs` (100), after `longestMs` (5,000) in any case, and where the signal is aborted. */
  async turn(signal: AbortSignal): Promise<void> {
    const latest = performance.now() + this.#times.longestMs
    while (!signal.aborted) {
      const waitMs = Math.min(this.#servedAt + this.#times.quietMs, latest) - performance.now()
      if (waitMs <= 0) return
      try {
        await sleep(waitMs, undefined, { signal })
      } catch (error) {
        // It ends early where the signal is aborted, which is no failure.
        if (!(error instanceof Error && error.name === 'AbortError')) throw error
      }
    }
  }
}
