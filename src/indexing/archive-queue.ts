import { BoundedMap } from '../model/bounded-map.ts'
import { queueArchive } from '../store/archive/archive-queue.ts'
import type { Queries } from '../store/rows.ts'

interface SavedSession {
  readonly tenantId: number
  readonly sessionId: string
}

const rememberedMax = 10_000

/**
 * Leaves sessions whose messages were indexed to be archived. That is here because a save must not do it: it would be one
 * row more on the path of each message. A session that many messages are saved to is added now and then only.
 */
export class ArchiveQueue {
  readonly #delayMs: number
  readonly #queuedAtMs = new BoundedMap<string, number>(rememberedMax)

  constructor(delayMs: number) {
    this.#delayMs = delayMs
  }

  /** Those of some sessions that may not be waiting: what was added a moment ago waits still. */
  notQueued(sessions: readonly SavedSession[]): SavedSession[] {
    const sinceMs = performance.now() - this.#delayMs / 2
    return sessions.filter(({ sessionId }) => (this.#queuedAtMs.get(sessionId) ?? -Infinity) < sinceMs)
  }

  async add(sql: Queries, sessions: readonly SavedSession[]): Promise<void> {
    if (sessions.length > 0) await queueArchive(sql, sessions, this.#delayMs)
  }

  /** To be told when what was added is committed. */
  queued(sessions: readonly SavedSession[]): void {
    const now = performance.now()
    for (const { sessionId } of sessions) this.#queuedAtMs.set(sessionId, now)
  }
}
