import type { TransactionSql } from 'postgres'

import { tombstonePrefix } from '../../model/messages/tombstone.ts'
import type { SessionKey } from '../messages.ts'
import type { Queries } from '../rows.ts'
import { indexTopic } from '../work/outbox.ts'
import { eraseContext } from './erase-context.ts'
import { eraseDerived } from './erase-derived.ts'
import { isOf, type Piece } from './piece.ts'
import type { ErasedCounts } from './receipts.ts'
import { addWorkAnew } from './work-anew.ts'

/** What decides what counts as a name in the messages of a session, and how far it goes. */
export interface NamesOfSession {
  readonly source: string
  readonly participants: readonly string[]
  readonly modelsUsed: readonly string[]
  readonly lastSeq: number
}

/** More names than this are no conversation. */
const namesMax = 1_000

/**
 * Whoever takes part as the session says, and whoever has said something: of a session that came back by a restore or from another
 * store it may be known of its messages alone. Reads all of them. Undefined where there is no such session.
 */
export async function readNames(sql: Queries, key: SessionKey): Promise<NamesOfSession | undefined> {
  const [row] = await sql<{ source: string; names: string[]; models: string[]; last_seq: string }[]>`
    select source, to_jsonb(participants) || (
        select coalesce(jsonb_agg(sender), '[]') from (
          select distinct sender from messages
          where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} and kind <> 'erased' limit ${namesMax}) said) as names,
      to_jsonb(models_used) as models, last_seq
    from sessions where tenant_id = ${key.tenantId} and id = ${key.sessionId}`
  if (row === undefined) return undefined
  const { source, names, models: modelsUsed, last_seq: lastSeq } = row
  return { source, participants: [...new Set(names)], modelsUsed, lastSeq: Number(lastSeq) }
}

/** A message without personal data; its bytes and hash are as they are stored. */
export interface AnonymisedMessage {
  readonly seq: number
  readonly sender: string
  readonly parentExternalId: string | null
  readonly toolCallId: string | null
  readonly mediaType: string
  readonly sizeBytes: number
  readonly location: string | undefined
  readonly sha256: Uint8Array
  readonly payload: Uint8Array | undefined
  readonly text: Uint8Array | undefined
  readonly metadata: Uint8Array | undefined
}

interface AnonymisedPiece {
  readonly erasureId: string
  readonly piece: Piece
  readonly messages: readonly AnonymisedMessage[]
  /** Of the key that they are sealed under. */
  readonly version: number
}

/**
 * Writes messages without personal data in the place of what they were, removes everything in the database that was made of that, and
 * leaves it to be made anew. `shrunkBytes` is by how much their payloads are smaller. One that was erased meanwhile stays so.
 */
export async function anonymisePiece(
  sql: TransactionSql,
  key: SessionKey,
  { erasureId, piece, messages, version }: AnonymisedPiece,
): Promise<{ readonly counts: Partial<ErasedCounts>; readonly shrunkBytes: number }> {
  const { tenantId, sessionId } = key
  const derived = await eraseDerived(sql, key, piece)
  await eraseContext(sql, key, piece)
  // Those elsewhere, which are removed when the rows are written: by that they are known.
  await sql`
    update embedded_units set text_sha256 = ''
    where tenant_id = ${tenantId} and level in (0, 1, 2) and session_id = ${sessionId} and ${isOf(sql, 'first_seq', piece)}`
  const [changed] = await sql<{ messages: string; before: string; after: string }[]>`
    with written as materialized (
      select * from jsonb_to_recordset(${JSON.stringify(messages.map(described))}::text::jsonb)
        as written(q bigint, s text, x text, c text, y text, b bigint, l text, h text, p text, t text, m text)
    ), chosen as materialized (
      select m.seq, m.id, m.payload_bytes, written.b from messages m join written on m.seq = written.q
      where m.tenant_id = ${tenantId} and m.session_id = ${sessionId} and m.kind <> 'erased' and m.anonymized_at is null
    ), changed as (
      update messages m set anonymized_at = now(), sender = s, parent_external_id = x, tool_call_id = c, payload_media_type = y,
        payload_bytes = written.b, payload_location = l, payload_sha256 = decode(h, 'base64'), payload = decode(p, 'base64'),
        text = decode(t, 'base64'), metadata = decode(written.m, 'base64'), key_version = ${version}
      from written join chosen on chosen.seq = written.q
      where m.tenant_id = ${tenantId} and m.session_id = ${sessionId} and m.seq = written.q
    ), remembered as (
      insert into tombstones (tenant_id, hash, kind, erasure_id)
      select ${tenantId}, sha256(convert_to(${tombstonePrefix.anonymised} || id::text, 'UTF8')), 'anonymised', ${erasureId} from chosen
      on conflict do nothing
    )
    select count(*) as messages, coalesce(sum(payload_bytes), 0) as before, coalesce(sum(b), 0) as after from chosen`
  await addWorkAnew(sql, indexTopic, [{ tenantId, sessionId, firstSeq: piece.first, lastSeq: piece.last }])
  const bytes = Number(changed?.before ?? 0)
  const counts = { ...derived, anonymised: Number(changed?.messages ?? 0), bytes }
  return { counts, shrunkBytes: bytes - Number(changed?.after ?? 0) }
}

function described(message: AnonymisedMessage): Record<string, unknown> {
  const base64 = (bytes: Uint8Array | undefined) =>
    bytes === undefined ? undefined : Buffer.from(bytes).toString('base64')
  return {
    q: message.seq,
    s: message.sender,
    x: message.parentExternalId,
    c: message.toolCallId,
    y: message.mediaType,
    b: message.sizeBytes,
    l: message.location,
    h: base64(message.sha256),
    p: base64(message.payload),
    t: base64(message.text),
    m: base64(message.metadata),
  }
}
