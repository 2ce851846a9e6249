import { setTimeout as sleep } from 'node:timers/promises'

import { limits } from '../limits.ts'
import type { Database } from '../store/database.ts'
import { indexTopic, newestOutboxId, outboxBacklog } from '../store/outbox.ts'

/**
 * Waits, for a bounded moment, until everything that was saved before this call can be found. Returns how many messages
 * still cannot: 0 in the normal case, more during a large import.
 */
export async function waitForIndex(
  database: Database,
  tenantId: number,
  waitMs: number = limits.searchWaitForIndexMs,
): Promise<number> {
  const upTo = await database.run((sql) => newestOutboxId(sql, tenantId, indexTopic))
  if (upTo === 0) return 0
  const deadline = performance.now() + waitMs
  for (let pauseMs = 4; ; pauseMs = Math.min(pauseMs * 2, 100)) {
    const { messages } = await database.run((sql) => outboxBacklog(sql, tenantId, { topic: indexTopic, upTo }))
    if (messages === 0 || performance.now() >= deadline) return messages
    database.needWork?.()
    await sleep(pauseMs)
  }
}
