import { setTimeout } from 'node:timers/promises'

import { ExponentialBackoff, halfJitterGenerator } from 'cockatiel'

export interface TryingAgain {
  /** Attempts, the first included. */
  readonly attemptsMax: number
  /** Pause before the second attempt; each further one is twice as long, and each is jittered between a half and the whole. */
  readonly pauseMs: number
  /** The longest pause of our own between two attempts; a provider may ask for a longer one. */
  readonly pauseMaxMs: number
  /** No attempt begins later than this after the first. */
  readonly totalMs: number
  readonly signal: AbortSignal
  /** How long a provider wants to be left alone after a failure, 0 where it does not say; undefined where it is not to be asked again. */
  readonly pauseAfter: (error: unknown) => number | undefined
  /** Waits; default: for real. */
  readonly sleep?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined
}

/** Does a piece of work again, after a pause, where that may help. Throws the last failure, or the reason of the signal where that is aborted. */
export async function tryAgain<T>(work: () => Promise<T>, options: TryingAgain): Promise<T> {
  const { attemptsMax, pauseMs, pauseMaxMs, totalMs, signal, pauseAfter } = options
  const sleep = options.sleep ?? sleepFor
  const endMs = Date.now() + totalMs
  let backoff = new ExponentialBackoff({
    generator: halfJitterGenerator,
    initialDelay: pauseMs,
    maxDelay: pauseMaxMs,
  }).next()
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      const wantedMs = attempt < attemptsMax ? pauseAfter(error) : undefined
      if (wantedMs === undefined) throw error
      const waitMs = Math.max(backoff.duration, wantedMs)
      if (Date.now() + waitMs > endMs) throw error
      try {
        await sleep(waitMs, signal)
      } finally {
        // Whatever the clock makes of an abort, the caller gets its own reason.
        signal.throwIfAborted()
      }
      backoff = backoff.next(undefined)
    }
  }
}

async function sleepFor(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal })
}
