import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { failOutbox } from '../store/work/failed-work.ts'
import { type Commit, type OutboxItem } from '../store/work/outbox.ts'

export interface RetryPolicy {
  /** What the work is, for the log. */
  readonly name: string
  /** The version that does it, noted where it fails for good. */
  readonly version?: string | undefined
  readonly attemptsMax: number
  /** Pause after the first attempt; doubled with each further one, and jittered by half of it. */
  readonly baseMs: number
}

/**
 * Counts a failed attempt at a piece of work: it is due again after a pause, or dead, which `doctor` shows. What a model held its answer
 * back to is dead at once: it would be the same again.
 */
export async function recordFailure(
  { commit, log }: { readonly commit: Commit; readonly log: Log },
  item: OutboxItem,
  failure: { readonly error: unknown; readonly policy: RetryPolicy; readonly withheldBy?: string | undefined },
): Promise<void> {
  const { error, policy, withheldBy } = failure
  const dead = withheldBy !== undefined || item.attempts + 1 >= policy.attemptsMax
  const heldBy = withheldBy ?? (dead ? policy.version : undefined)
  const delayMs = policy.baseMs * 2 ** item.attempts * (0.5 + Math.random())
  log.error(`${policy.name} of session ${item.sessionId} failed${dead ? ' for good' : ''}`, error)
  await commit((sql) => failOutbox(sql, item.id, { error: messageOf(error), delayMs, dead, withheldBy: heldBy }))
}
