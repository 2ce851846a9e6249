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

/** Rejects as soon as the signal is aborted, though what was begun may go on by itself: for work that cannot be stopped. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = (): void => undefined
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => {
      // The reason is the caller's own; whoever aborts decides what its wait fails with.
      reject(signal.reason instanceof Error ? signal.reason : new Error('Cannot go on as the call was cancelled'))
    }
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
