import type { Database } from '../store/database.ts'

/** Work that nobody announced, or whose notice was lost, waits no longer. */
const lookMs = 5_000

/**
 * Wakes a worker whenever the database says that something was saved, and now and then anyway. Where the database gives no
 * notices, somebody else wakes the worker, and nothing is done here. Returns what ends it.
 */
export function lookNowAndThen(database: Database, wake: () => void): () => void {
  const stopListening = database.onChange?.(wake)
  if (stopListening === undefined) return () => undefined
  const timer = setInterval(wake, lookMs)
  return () => {
    clearInterval(timer)
    stopListening()
  }
}
