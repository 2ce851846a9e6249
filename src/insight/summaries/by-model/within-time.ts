import { limits } from '../../../limits.ts'
import { ProviderError } from '../../../ports/provider-error.ts'

export interface TimedWork {
  readonly provider: string
  /** Ends it early: nothing is wanted in its place then. */
  readonly ended: AbortSignal | undefined
  /** Whether what was noted is stored before all of it is done. */
  readonly keepsNotes: boolean
}

/**
 * Work of a model that nobody waits for longer than a summary may take: what came of it, or why nothing did. Throws the reason
 * of `ended`.
 */
export async function withinTime<T extends object>(
  { provider, ended, keepsNotes }: TimedWork,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | string> {
  const inTime = AbortSignal.timeout(limits.summaryByModelMs)
  const signal = ended === undefined ? inTime : AbortSignal.any([inTime, ended])
  try {
    return await work(signal)
  } catch (error) {
    const isOver = signal.aborted && error === signal.reason
    if (!isOver && !(error instanceof ProviderError)) throw error
    ended?.throwIfAborted()
    if (error instanceof ProviderError) return error.message
    const kept = keepsNotes ? '; what it noted by then is kept for the next call' : ''
    return `${provider} did not write it within ${limits.summaryByModelMs / 1_000} s${kept}`
  }
}
