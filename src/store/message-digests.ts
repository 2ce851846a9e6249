import { createHash } from 'node:crypto'

import type { TransactionSql } from 'postgres'

import { keepFromErasure } from './erasure/keep-from-erasure.ts'
import type { SearchKey } from './keys/search-key.ts'
import type { MessageRow, SessionKey } from './messages.ts'
import type { Queries } from './rows.ts'
import { levelOfTerms, messageLevels, recordLevels, type MadeOf } from './search/search-units.ts'

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

/** The digest of a message in which there is nothing to read, and which therefore has no search unit. */
export interface RecordDigest extends MadeOf {
  readonly digest: Uint8Array
  readonly sessionId: string
  readonly seq: number
}

/** What is taken of a message beside its search units where it has none. */
export function recordDigestOf(message: MessageRow, key: SearchKey | undefined): RecordDigest {
  const { sessionId, seq, id, anonymizedAt } = message
  return { sessionId, seq, id, anonymizedAt, digest: digestOfRecord(message, key) }
}

/** The level at which a version of the index of words has the digests of messages without words: no search looks at it. */
export function levelOfRecords(termsVersion: number): number {
  return levelOfTerms(termsVersion) === messageLevels[0] ? recordLevels[0] : recordLevels[1]
}

/** The levels at which there may be a digest for a version of the index of words. */
export function levelsOfDigests(termsVersion: number): readonly number[] {
  return [levelOfTerms(termsVersion), levelOfRecords(termsVersion)]
}

/**
 * Stores digests of messages without words of one tenant, for one version of the index. One that is there already stays. Of a message that
 * was erased or anonymised since it was read none is stored.
 */
export async function writeRecordDigests(
  sql: TransactionSql,
  { tenantId, termsVersion }: { readonly tenantId: number; readonly termsVersion: number },
  records: readonly RecordDigest[],
): Promise<void> {
  if (records.length === 0) return
  await keepFromErasure(sql, tenantId, records)
  const rows = records.map(({ sessionId, seq, id, anonymizedAt, digest }) => ({
    s: sessionId,
    q: seq,
    i: id,
    z: anonymizedAt,
    d: Buffer.from(digest).toString('base64'),
  }))
  await sql`
    insert into search_units (tenant_id, level, session_id, first_seq, last_seq, part, terms, frequencies, term_count, timestamp,
      role, trust, kind, flags, record_digest)
    select ${tenantId}, ${levelOfRecords(termsVersion)}, s, q, q, 0, '{}', '{}', 0, m.timestamp, m.role, m.trust, m.kind, '{}', decode(d, 'base64')
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as record(s uuid, q bigint, i uuid, z timestamptz, d text)
      join messages m on m.tenant_id = ${tenantId} and m.session_id = s and m.seq = q and m.id = i
        and m.kind <> 'erased' and m.anonymized_at is not distinct from z
    on conflict do nothing`
}

/** Digests that were taken of a message, by the level that they are at. */
export type TakenDigests = ReadonlyMap<number, Uint8Array>

/** Those of a stretch of a session, both ends included, by the number of the message. Uses the primary key of `search_units`. */
export async function readRecordDigests(
  sql: Queries,
  { tenantId, sessionId }: SessionKey,
  { fromSeq, toSeq }: { readonly fromSeq: number; readonly toSeq: number },
): Promise<ReadonlyMap<number, TakenDigests>> {
  const rows = await sql<{ seq: string; level: number; digest: Uint8Array }[]>`
    select first_seq as seq, level, record_digest as digest from search_units
    where tenant_id = ${tenantId} and level in (${messageLevels[0]}, ${messageLevels[1]}, ${recordLevels[0]}, ${recordLevels[1]})
      and session_id = ${sessionId} and first_seq between ${fromSeq} and ${toSeq} and part = 0 and record_digest is not null`
  const taken = new Map<number, Map<number, Uint8Array>>()
  for (const { seq, level, digest } of rows) {
    const ofMessage = taken.get(Number(seq)) ?? new Map<number, Uint8Array>()
    taken.set(Number(seq), ofMessage.set(level, digest))
  }
  return taken
}
