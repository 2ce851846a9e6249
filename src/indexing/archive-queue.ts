import { BoundedMap } from '../model/bounded-map.ts'
import { queueArchive } from '../store/archive/archive-queue.ts'
import type { Queries } from '../store/rows.ts'

interface SavedSession {
  readonly tenantId: number
  readonly sessionId: string
}

/** A session that waits, and until when it surely does. */
interface Queued {
  readonly sessionId: string
  readonly untilMs: number
}

const rememberedMax = 10_000

/**
 * Leaves sessions whose messages were indexed to be archived. That is here because a save must not do it: it would be one
 * row more on the path of each message. A session that many messages are saved to is added now and then only.
 */
export class ArchiveQueue {
  readonly #delayMs: number
  readonly #waitsUntilMs = new BoundedMap<string, number>(rememberedMax)

  constructor(delayMs: number) {
    this.#delayMs = delayMs
  }

  /** Those of some sessions that may not be waiting: what waits for its time is not under way before that. */
  notQueued(sessions: readonly SavedSession[]): SavedSession[] {
    const now = performance.now()
    return sessions.filter(({ sessionId }) => (this.#waitsUntilMs.get(sessionId) ?? -Infinity) < now)
  }

  /** Gives what `queued` is to be told when it is committed. */
  async add(sql: Queries, sessions: readonly SavedSession[]): Promise<readonly Queued[]> {
    if (sessions.length === 0) return []
    const now = performance.now()
    const waiting = await queueArchive(sql, sessions, this.#delayMs)
    return waiting.map(({ sessionId, waitMs }) => ({ sessionId, untilMs: now + waitMs }))
  }

  queued(sessions: readonly Queued[]): void {
    for (const { sessionId, untilMs } of sessions) this.#waitsUntilMs.set(sessionId, untilMs)
  }
}
