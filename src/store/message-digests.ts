import { createHash } from 'node:crypto'

import type { SearchKey } from './keys/search-key.ts'
import type { MessageRow, SessionKey } from './messages.ts'
import type { Queries } from './rows.ts'
import { messageLevels } from './search-units.ts'

/**
 * The digest of what a message says beside its bytes: SHA-256, or with a search key of the tenant HMAC-SHA-256, which nobody takes who
 * has the database alone. It is of what was saved, however that is sealed, and of nothing that changes later while its search units
 * stay: not of the ids that a caller or another store gave it, nor of where its bytes are.
 */
export function digestOfRecord(message: MessageRow, key: SearchKey | undefined): Buffer {
  const record = JSON.stringify([
    message.sessionId,
    message.seq,
    message.id,
    message.parentId,
    message.parentExternalId,
    message.timestamp,
    message.savedAt,
    message.role,
    message.sender,
    message.model,
    message.kind,
    message.trust,
    message.inputTokens,
    message.outputTokens,
    message.cacheReadTokens,
    message.cacheWriteTokens,
    message.toolsUsed,
    message.toolCallId,
    message.contextSwitch,
    message.payloadBytes,
    Buffer.from(message.payloadSha256).toString('hex'),
    message.payloadMediaType,
    message.text,
    message.metadata,
    message.anonymizedAt,
  ])
  return key === undefined ? createHash('sha256').update(record, 'utf8').digest() : key.digestOfRecord(record)
}

/** Digests that were taken of a message, by the level of the index that they were taken for. */
export type TakenDigests = ReadonlyMap<number, Uint8Array>

/** Those of a stretch of a session, both ends included, by the number of the message. Uses the primary key of `search_units`. */
export async function readRecordDigests(
  sql: Queries,
  { tenantId, sessionId }: SessionKey,
  { fromSeq, toSeq }: { readonly fromSeq: number; readonly toSeq: number },
): Promise<ReadonlyMap<number, TakenDigests>> {
  const rows = await sql<{ seq: string; level: number; digest: Uint8Array }[]>`
    select first_seq as seq, level, record_digest as digest from search_units
    where tenant_id = ${tenantId} and level in (${messageLevels[0]}, ${messageLevels[1]}) and session_id = ${sessionId}
      and first_seq between ${fromSeq} and ${toSeq} and part = 0 and record_digest is not null`
  const taken = new Map<number, Map<number, Uint8Array>>()
  for (const { seq, level, digest } of rows) {
    const ofMessage = taken.get(Number(seq)) ?? new Map<number, Uint8Array>()
    taken.set(Number(seq), ofMessage.set(level, digest))
  }
  return taken
}
