import { limits } from '../../limits.ts'
import { ProviderError } from '../../ports/provider-error.ts'

/** Work of a model that nobody waits for longer than a summary may take: what came of it, or why nothing did. */
export async function withinTime<T extends object>(
  provider: string,
  ended: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | string> {
  const inTime = AbortSignal.timeout(limits.summaryByModelMs)
  const signal = ended === undefined ? inTime : AbortSignal.any([inTime, ended])
  try {
    return await work(signal)
  } catch (error) {
    if (error instanceof ProviderError) return error.message
    if (!signal.aborted || error !== signal.reason) throw error
    return `${provider} did not write it within ${limits.summaryByModelMs / 1_000} s; what it noted by then is kept for the next call`
  }
}
