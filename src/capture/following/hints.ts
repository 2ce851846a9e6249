import { setTimeout as sleep } from 'node:timers/promises'

/** Paths that are said to have changed, for who waits for them. */
export class Hints {
  readonly #gatherMs: number
  #paths = new Set<string>()
  #hear: () => void = () => undefined

  /** Notices of one change come in several: after the first one, further ones are waited for so long. */
  constructor(gatherMs: number) {
    this.#gatherMs = gatherMs
  }

  add(path: string): void {
    this.#paths.add(path)
    this.#hear()
  }

  /** Waits for a hint, for the time or for the signal, whichever comes first. */
  async wait(timeoutMs: number, signal: AbortSignal): Promise<void> {
    const heard = new AbortController()
    this.#hear = () => heard.abort()
    if (this.#paths.size === 0) await pause(timeoutMs, AbortSignal.any([heard.signal, signal]))
    if (this.#paths.size > 0) await pause(this.#gatherMs, signal)
  }

  /** The paths since the last time. */
  take(): readonly string[] {
    const paths = [...this.#paths]
    this.#paths = new Set()
    return paths
  }
}

/** Waits for a time, or until the signal; the signal is no error. */
export async function pause(timeoutMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  try {
    await sleep(timeoutMs, undefined, { signal })
  } catch (error) {
    if (!(error instanceof Error && error.name === 'AbortError')) throw error
  }
}
