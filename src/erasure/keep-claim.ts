import { setInterval } from 'node:timers'

import { describeForLog } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Database } from '../store/database.ts'
import { erasureLeaseMs, renewErasure, type ErasureItem } from '../store/erasure/erasure-work.ts'

/** Two that fail or come late do not lose the work. */
const renewedMs = erasureLeaseMs / 3.75

/**
 * Has a piece of work stay with whoever has taken it, however long an archive or a provider takes, while the process lives. Whoever
 * is killed does not renew it, and another one takes it. Once what is returned has resolved it is not renewed any more.
 */
export function keepClaim(
  { database, log }: { readonly database: Database; readonly log?: Log | undefined },
  item: ErasureItem,
): () => Promise<void> {
  let renewing: Promise<void> | undefined
  const renew = async () => {
    try {
      await database.run((sql) => renewErasure(sql, item))
    } catch (error) {
      // The work asks the same database, and fails by itself where that does not come back.
      log?.warn(`the erasure of session ${item.sessionId} may be taken by another: ${describeForLog(error)}`)
    } finally {
      renewing = undefined
    }
  }
  const timer = setInterval(() => {
    renewing ??= renew()
  }, renewedMs)
  timer.unref()
  return async () => {
    clearInterval(timer)
    await renewing
  }
}
