import { ProviderError } from '../ports/provider-error.ts'

/**
 * Does a piece of work within a time. Throws the signal's reason where the caller gave up, ProviderError `timeout` where
 * the time is over; other failures pass as they are.
 */
export async function withinTime<T>(
  bounds: { readonly provider: string; readonly signal: AbortSignal; readonly ms: number },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  bounds.signal.throwIfAborted()
  const timeout = AbortSignal.timeout(bounds.ms)
  try {
    return await work(AbortSignal.any([bounds.signal, timeout]))
  } catch (cause) {
    // Whatever a library makes of an abort, these two say why it happened.
    bounds.signal.throwIfAborted()
    if (timeout.aborted) throw new ProviderError(bounds.provider, 'timeout', { cause })
    throw cause
  }
}
