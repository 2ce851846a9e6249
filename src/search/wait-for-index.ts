import { setTimeout as sleep } from 'node:timers/promises'

import { limits } from '../limits.ts'
import type { Database } from '../store/database.ts'
import { embedTopic, indexTopic, newestOutboxId, oldestOutboxId, outboxBacklog } from '../store/work/outbox.ts'

const pauseMsMin = 4
const pauseMsMax = 100

/**
 * Waits, for a bounded moment, until everything that was saved before this call can be found. Returns how many messages
 * still cannot: 0 in the normal case, more during a large import.
 */
export function waitForIndex(
  database: Database,
  tenantId: number,
  waitMs: number = limits.searchWaitForIndexMs,
): Promise<number> {
  return waitForWork(database, tenantId, { topic: indexTopic, waitMs })
}

/** The same for what is in the index by now and gets its vector next. What was put off, as its provider fails, is not waited for. */
export function waitForVectors(
  database: Database,
  tenantId: number,
  waitMs: number = limits.searchWaitForIndexMs,
): Promise<number> {
  return waitForWork(database, tenantId, { topic: embedTopic, waitMs })
}

async function waitForWork(
  database: Database,
  tenantId: number,
  { topic, waitMs }: { readonly topic: string; readonly waitMs: number },
): Promise<number> {
  const upTo = await database.run((sql) => newestOutboxId(sql, tenantId, topic))
  if (upTo === 0) return 0
  const deadline = performance.now() + waitMs
  for (let pauseMs = 0; ; pauseMs = Math.min(Math.max(pauseMs * 2, pauseMsMin), pauseMsMax)) {
    const oldest = await oldestAfter(database, { tenantId, topic }, pauseMs)
    if (oldest === undefined || oldest > upTo) return 0
    if (performance.now() >= deadline) break
    database.needWork?.()
  }
  const { messages } = await database.run((sql) => outboxBacklog(sql, tenantId, { topic, upTo }))
  return messages
}

/** Work of one kind that is done for a tenant. */
interface Work {
  readonly tenantId: number
  readonly topic: string
}

/** The look at some work that is under way, and the one after it. */
interface Looks {
  underway: Promise<unknown>
  next: Promise<number | undefined> | undefined
}

/** Of a store, which its vault stands for whoever asks, by the work. */
const looksOf = new WeakMap<Database['vault'], Map<string, Looks>>()

/**
 * The oldest of some work that is left, looked up after this call. One look answers all who wait in this process, and none begins before
 * another is over: if each of thirty searches looked by itself, the database would do little else, and least of all the work that
 * they wait for.
 */
function oldestAfter(database: Database, { tenantId, topic }: Work, pauseMs: number): Promise<number | undefined> {
  const ofStore = looksOf.get(database.vault) ?? new Map<string, Looks>()
  looksOf.set(database.vault, ofStore)
  const key = `${tenantId} ${topic}`
  const looks = ofStore.get(key) ?? { underway: Promise.resolve(), next: undefined }
  ofStore.set(key, looks)
  looks.next ??= (async () => {
    await Promise.allSettled([looks.underway, sleep(pauseMs)])
    // Whoever asks from now on may have saved after it: that is for another look.
    const look = database.run((sql) => oldestOutboxId(sql, tenantId, topic))
    looks.underway = look
    looks.next = undefined
    return await look
  })()
  return looks.next
}
