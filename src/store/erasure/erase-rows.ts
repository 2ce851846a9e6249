import type { TransactionSql } from 'postgres'

import { tombstonePrefix } from '../../model/messages/tombstone.ts'
import type { SessionKey } from '../messages.ts'
import { eraseNames } from '../names/message-names.ts'
import { eraseContext } from './erase-context.ts'
import { eraseDerived } from './erase-derived.ts'
import { isOf, type Piece } from './piece.ts'
import type { ErasedCounts } from './receipts.ts'

/** A session whose row is locked, so that nobody who writes of its messages comes in between. */
export interface LockedSession {
  readonly id: string
  readonly source: string
  readonly externalId: string | null
  readonly legalHold: boolean
  readonly lastSeq: number
  /** Of its key; 0 where it is not sealed. */
  readonly keyVersion: number
  /** As they are stored. */
  readonly title: Uint8Array | null
  readonly metadata: Uint8Array | null
  readonly tags: readonly string[]
}

interface LockedRow {
  readonly id: string
  readonly source: string
  readonly external_id: string | null
  readonly legal_hold: boolean
  readonly last_seq: string
  readonly key_version: number
  readonly title: Uint8Array | null
  readonly metadata: Uint8Array | null
  readonly tags: readonly string[]
}

export async function lockSession(sql: TransactionSql, key: SessionKey): Promise<LockedSession | undefined> {
  const [row] = await sql<LockedRow[]>`
    select id, source, external_id, legal_hold, last_seq, key_version, title, metadata, to_jsonb(tags) as tags from sessions
    where tenant_id = ${key.tenantId} and id = ${key.sessionId} for update`
  if (row === undefined) return undefined
  const { id, source, title, metadata, tags, external_id: externalId, legal_hold: legalHold } = row
  return {
    id,
    source,
    title,
    metadata,
    tags,
    externalId,
    legalHold,
    lastSeq: Number(row.last_seq),
    keyVersion: row.key_version,
  }
}

/** Where the large payloads of a piece are. */
export async function payloadLocations(sql: TransactionSql, key: SessionKey, piece: Piece): Promise<string[]> {
  const rows = await sql<{ location: string }[]>`
    select distinct payload_location as location from messages
    where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} and ${isOf(sql, 'seq', piece)}
      and payload_location is not null`
  return rows.map(({ location }) => location)
}

/**
 * Erases messages with everything in the database that was made from them. With `leaving`, each keeps its row,
 * emptied, so that numbering has no gap and its id is not used again.
 */
export async function erasePiece(
  sql: TransactionSql,
  key: SessionKey,
  { piece, leaving }: { readonly piece: Piece; readonly leaving: { readonly erasureId: string } | undefined },
): Promise<Partial<ErasedCounts>> {
  await eraseNames(sql, key, piece)
  const derived = await eraseDerived(sql, key, piece)
  // Of a correction that goes, what it corrected is what was said again, and is missing where a segment was read without it.
  const gaps = await sql`
    with again as (
      delete from corrections
      where tenant_id = ${key.tenantId} and session_id = ${key.sessionId}
        and (${isOf(sql, 'seq', piece)} or ${isOf(sql, 'correction_seq', piece)})
      returning seq
    )
    delete from summaries u using again
    where u.tenant_id = ${key.tenantId} and u.session_id = ${key.sessionId} and u.level = 'segment' and u.made_by = 'extractive'
      and again.seq between u.first_seq and u.last_seq`
  const counts = { ...derived, summaries: (derived.summaries ?? 0) + gaps.count }
  if (leaving === undefined) {
    const [gone] = await sql<{ messages: string; bytes: string }[]>`
      with gone as (
        delete from messages
        where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} and ${isOf(sql, 'seq', piece)}
        returning payload_bytes, kind
      )
      select count(*) filter (where kind <> 'erased') as messages, coalesce(sum(payload_bytes), 0) as bytes from gone`
    return { ...counts, messages: Number(gone?.messages ?? 0), bytes: Number(gone?.bytes ?? 0) }
  }
  await eraseContext(sql, key, piece)
  const [emptied] = await sql<{ messages: string; bytes: string }[]>`
    with chosen as (
      select seq, id, payload_bytes from messages
      where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} and ${isOf(sql, 'seq', piece)} and kind <> 'erased'
    ), emptied as (
      update messages m set kind = 'erased', sender = '', model = null, trust = 'external', input_tokens = null, output_tokens = null,
        cache_read_tokens = null, cache_write_tokens = null, tools_used = null, tool_call_id = null, context_switch = null,
        parent_external_id = null, payload = '', payload_location = null, payload_bytes = 0, payload_sha256 = sha256(''),
        payload_media_type = 'text/plain', text = null, metadata = null, key_version = 0, anonymized_at = null
      from chosen where m.tenant_id = ${key.tenantId} and m.session_id = ${key.sessionId} and m.seq = chosen.seq
    ), remembered as (
      insert into tombstones (tenant_id, hash, kind, erasure_id)
      select ${key.tenantId}, sha256(convert_to(${tombstonePrefix.message} || id::text, 'UTF8')), 'message', ${leaving.erasureId} from chosen
      on conflict do nothing
    )
    select count(*) as messages, coalesce(sum(payload_bytes), 0) as bytes from chosen`
  return { ...counts, messages: Number(emptied?.messages ?? 0), bytes: Number(emptied?.bytes ?? 0) }
}
