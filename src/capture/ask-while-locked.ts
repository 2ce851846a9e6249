import { once } from 'node:events'

import { UnavailableError } from '../errors.ts'
import { limits } from '../limits.ts'

/**
 * Asks the archive for something while something is locked in the database, for which others wait: not longer than they can. What is asked
 * must change nothing any more once the signal has fired. Throws UnavailableError.
 */
export async function askWhileLocked<T>(ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const over = new AbortController()
  const timer = setTimeout(() => over.abort(), limits.archiveLockedMs)
  const late = once(over.signal, 'abort').then((): never => {
    throw new UnavailableError(
      `Cannot wait for the archive as it did not answer within ${limits.archiveLockedMs} ms, and others wait`,
      {
        remedy: 'Nothing was changed: look at the place that VERBATIM_ARCHIVE names, and try again when it answers',
      },
    )
  })
  try {
    return await Promise.race([ask(over.signal), late])
  } finally {
    clearTimeout(timer)
    over.abort()
  }
}
