import type { Sql } from 'postgres'

import type { Role, Trust } from '../model/message.ts'
import { isoTime } from './rows.ts'

/** A stored message without its bytes. Times are ISO 8601 in UTC. */
export interface MessageHead {
  readonly sessionId: string
  readonly seq: number
  readonly id: string
  readonly externalId: string | null
  readonly parentId: string | null
  readonly parentExternalId: string | null
  readonly replacesId: string | null
  readonly timestamp: string
  readonly savedAt: string
  readonly role: Role
  readonly sender: string
  readonly model: string | null
  readonly kind: 'message' | 'event' | 'unknown' | 'damaged'
  readonly trust: Trust
  readonly inputTokens: number | null
  readonly outputTokens: number | null
  readonly cacheReadTokens: number | null
  readonly cacheWriteTokens: number | null
  readonly toolsUsed: readonly string[] | null
  readonly toolCallId: string | null
  readonly contextSwitch: string | null
  readonly payloadLocation: string | null
  readonly payloadBytes: number
  readonly payloadSha256: Uint8Array
  readonly payloadMediaType: string
}

/** A stored message with its bytes; `payload` is null where they are in the archive store. */
export interface MessageRow extends MessageHead {
  readonly payload: Uint8Array | null
  /** Null where the text follows from the payload. */
  readonly text: string | null
  readonly metadata: string | null
}

interface RawHead {
  session_id: string
  seq: string
  id: string
  external_id: string | null
  parent_id: string | null
  parent_external_id: string | null
  replaces_id: string | null
  timestamp: string
  saved_at: string
  role: Role
  sender: string
  model: string | null
  kind: MessageHead['kind']
  trust: Trust
  input_tokens: number | null
  output_tokens: number | null
  cache_read_tokens: number | null
  cache_write_tokens: number | null
  tools_used: string[] | null
  tool_call_id: string | null
  context_switch: string | null
  payload_location: string | null
  payload_bytes: string
  payload_sha256: Uint8Array
  payload_media_type: string
}

interface RawMessage extends RawHead {
  payload: Uint8Array | null
  text: Uint8Array | null
  metadata: Uint8Array | null
}

const headColumns = (sql: Sql) => sql`
  session_id, seq, id, external_id, parent_id, parent_external_id, replaces_id, timestamp, saved_at, role, sender, model, kind,
  trust, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, to_jsonb(tools_used) as tools_used, tool_call_id,
  context_switch, payload_location, payload_bytes, payload_sha256, payload_media_type`

function headFromRow(row: RawHead): MessageHead {
  return {
    sessionId: row.session_id,
    seq: Number(row.seq),
    id: row.id,
    externalId: row.external_id,
    parentId: row.parent_id,
    parentExternalId: row.parent_external_id,
    replacesId: row.replaces_id,
    timestamp: isoTime(row.timestamp),
    savedAt: isoTime(row.saved_at),
    role: row.role,
    sender: row.sender,
    model: row.model,
    kind: row.kind,
    trust: row.trust,
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    cacheReadTokens: row.cache_read_tokens,
    cacheWriteTokens: row.cache_write_tokens,
    toolsUsed: row.tools_used,
    toolCallId: row.tool_call_id,
    contextSwitch: row.context_switch,
    payloadLocation: row.payload_location,
    payloadBytes: Number(row.payload_bytes),
    payloadSha256: row.payload_sha256,
    payloadMediaType: row.payload_media_type,
  }
}

function messageFromRow(row: RawMessage): MessageRow {
  const text = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString('utf8'))
  return { ...headFromRow(row), payload: row.payload, text: text(row.text), metadata: text(row.metadata) }
}

export interface SessionKey {
  readonly tenantId: number
  readonly sessionId: string
}

/** A stretch of a session by number, both ends included. Uses the primary key. */
export interface SeqRange {
  readonly fromSeq: number
  readonly toSeq?: number | undefined
  readonly limit: number
  /** Leaves out what a transcript records beside the conversation: notices, settings, counts. */
  readonly withoutEvents?: boolean
}

/** Messages of a session in order, without their bytes: to decide how many of them fit. */
export async function readHeads(sql: Sql, key: SessionKey, range: SeqRange): Promise<MessageHead[]> {
  const rows = await sql<RawHead[]>`
    select ${headColumns(sql)} from messages
    where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} and seq >= ${range.fromSeq}
      ${range.toSeq === undefined ? sql`` : sql`and seq <= ${range.toSeq}`}
      ${range.withoutEvents === true ? sql`and kind <> 'event'` : sql``}
    order by seq limit ${range.limit}`
  return rows.map(headFromRow)
}

/** Messages of a session in order, with their bytes. */
export async function readMessages(sql: Sql, key: SessionKey, range: SeqRange): Promise<MessageRow[]> {
  const rows = await sql<RawMessage[]>`
    select ${headColumns(sql)}, payload, text, metadata from messages
    where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} and seq >= ${range.fromSeq}
      ${range.toSeq === undefined ? sql`` : sql`and seq <= ${range.toSeq}`}
      ${range.withoutEvents === true ? sql`and kind <> 'event'` : sql``}
    order by seq limit ${range.limit}`
  return rows.map(messageFromRow)
}

/** Messages by (session, seq), in no promised order; those that do not exist are absent. */
export async function readPlaces(
  sql: Sql,
  tenantId: number,
  places: readonly { readonly sessionId: string; readonly seq: number }[],
): Promise<MessageRow[]> {
  const wanted = JSON.stringify(places.map((place) => ({ s: place.sessionId, q: place.seq })))
  const rows = await sql<RawMessage[]>`
    select ${headColumns(sql)}, payload, text, metadata
    from jsonb_to_recordset(${wanted}::text::jsonb) as wanted(s uuid, q bigint)
    join messages on tenant_id = ${tenantId} and session_id = wanted.s and seq = wanted.q`
  return rows.map(messageFromRow)
}

/** One message by our id, or by the caller's own id within its session. */
export async function findMessage(
  sql: Sql,
  key: SessionKey,
  reference: { readonly id?: string | undefined; readonly externalId: string },
): Promise<MessageRow | undefined> {
  const rows = await sql<RawMessage[]>`
    select ${headColumns(sql)}, payload, text, metadata from messages
    where tenant_id = ${key.tenantId} and session_id = ${key.sessionId}
      and (id = ${reference.id ?? null} or external_id = ${reference.externalId}) limit 1`
  return rows[0] === undefined ? undefined : messageFromRow(rows[0])
}
