import type { Caller } from '../model/access.ts'
import type { Database } from '../store/database.ts'
import { indexTopic, outboxBacklog } from '../store/outbox.ts'
import { countStore } from '../store/sessions.ts'

/** What the store holds and how far its index is. */
export interface StoreStatus {
  readonly store: 'embedded' | 'server'
  readonly sessions: number
  readonly messages: number
  readonly payload_bytes: number
  readonly index: { readonly messages_behind: number; readonly failed_for_good: number }
  readonly semantic_search: 'off'
}

export async function storeStatus(database: Database, caller: Caller): Promise<StoreStatus> {
  const counts = await database.run((sql) => countStore(sql, caller.tenantId))
  const backlog = await database.run((sql) => outboxBacklog(sql, caller.tenantId, { topic: indexTopic }))
  return {
    store: database.kind,
    sessions: counts.sessions,
    messages: counts.messages,
    payload_bytes: counts.payloadBytes,
    index: { messages_behind: backlog.messages, failed_for_good: backlog.dead },
    semantic_search: 'off',
  }
}
