import type { Sql } from 'postgres'

import { BrokenSeal } from '../crypto/aead.ts'
import type { RowSeal, SealPlace } from '../crypto/row-seal.ts'
import type { MessageFlags } from '../model/messages/message-flags.ts'
import type { Role, Trust } from '../model/messages/message.ts'
import { restrictedNames } from './access/usable.ts'
import type { Database } from './database.ts'
import { isoTime } from './rows.ts'
import { inRange, type SeqRange, type WantedPlaces } from './seq-range.ts'

/** A stored message without its bytes. Times are ISO 8601 in UTC. */
export interface MessageHead {
  readonly sessionId: string
  readonly seq: number
  readonly id: string
  readonly externalId: string | null
  readonly parentId: string | null
  readonly parentExternalId: string | null
  readonly replacesId: string | null
  readonly followsId: string | null
  readonly timestamp: string
  readonly savedAt: string
  readonly role: Role
  readonly sender: string
  readonly model: string | null
  readonly kind: 'message' | 'event' | 'unknown' | 'damaged' | 'erased'
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
  readonly anonymizedAt: string | null
  /** Present where its sender is restricted: it is stored and not used. */
  readonly isRestricted?: true
  /** Of the message that says what it should say; absent where it was not corrected. */
  readonly correctedById?: string
}

/** A stored message with its bytes; `payload` is null where they are in the archive store. */
export interface MessageRow extends MessageHead {
  readonly payload: Uint8Array | null
  /** Null where the text follows from the payload. */
  readonly text: string | null
  readonly metadata: string | null
  /** What it is flagged for; null where the index has not said yet, absent where it was not asked. */
  readonly flags?: MessageFlags | null
  /** What opens its bytes where they are in the archive store; absent where they are not sealed. */
  readonly seal?: RowSeal
  /** Present where its content is kept back from who asks. */
  readonly isWithheld?: true
  /** Why its bytes in the database, or some of them, could not be opened. */
  readonly damage?: string
}

interface RawHead {
  session_id: string
  seq: string
  id: string
  external_id: string | null
  parent_id: string | null
  parent_external_id: string | null
  replaces_id: string | null
  follows_id: string | null
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
  anonymized_at: string | null
  key_version: number
  restricted: boolean
  corrected_by: string | null
}

interface RawMessage extends RawHead {
  payload: Uint8Array | null
  text: Uint8Array | null
  metadata: Uint8Array | null
  flags?: MessageFlags | null
}

const headColumns = (sql: Sql, tenantId: number) => sql`
  session_id, seq, id, external_id, parent_id, parent_external_id, replaces_id, follows_id, timestamp, saved_at, role, sender, model,
  kind, trust, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, to_jsonb(tools_used) as tools_used, tool_call_id,
  context_switch, payload_location, payload_bytes, payload_sha256, payload_media_type, anonymized_at, key_version,
  (messages.sender in (${restrictedNames(sql, tenantId)})) as restricted,
  (select c.correction_id from corrections c
   where c.tenant_id = ${tenantId} and c.session_id = messages.session_id and c.seq = messages.seq) as corrected_by`

/** What the index has found in a message, by its primary key. */
const flagsColumn = (sql: Sql) => sql`, (select u.flags from search_units u where u.tenant_id = messages.tenant_id
  and u.level in (0, 3) and u.session_id = messages.session_id and u.first_seq = messages.seq and u.part = 0 limit 1) as flags`

function headFromRow(row: RawHead, seal: RowSeal | undefined): MessageHead {
  return {
    sessionId: row.session_id,
    seq: Number(row.seq),
    id: row.id,
    externalId: row.external_id,
    parentId: row.parent_id,
    parentExternalId: row.parent_external_id,
    replacesId: row.replaces_id,
    followsId: row.follows_id,
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
    payloadSha256: seal === undefined ? row.payload_sha256 : seal.unmask(row.payload_sha256),
    payloadMediaType: row.payload_media_type,
    anonymizedAt: isoTime(row.anonymized_at),
    ...(row.restricted ? { isRestricted: true as const } : {}),
    ...(row.corrected_by === null ? {} : { correctedById: row.corrected_by }),
  }
}

/** The bytes of a row as they were saved, as far as they can be had, or why they cannot. */
function messageFromRow(row: RawMessage, seal: RowSeal | undefined): MessageRow {
  const head = { ...headFromRow(row, seal), ...(row.flags === undefined ? {} : { flags: row.flags }) }
  if (row.key_version !== 0 && seal === undefined) {
    const damage = 'the key of its session is missing or was altered'
    return { ...head, payload: null, text: null, metadata: null, damage }
  }
  let isBroken = false
  const open = (field: SealPlace['field'], bytes: Uint8Array | null) => {
    try {
      return bytes === null || seal === undefined ? bytes : seal.open({ field, id: row.id }, bytes)
    } catch (error) {
      if (!(error instanceof BrokenSeal)) throw error
      isBroken = true
      return null
    }
  }
  const utf8 = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString('utf8'))
  const payload = open('payload', row.payload)
  const [text, metadata] = [open('text', row.text), open('metadata', row.metadata)]
  // Where the bytes are in the archive, the sealed value is their place: it proves that this row points to them.
  const isPointer = seal !== undefined && row.payload_location !== null
  if (isPointer && utf8(payload) !== row.payload_location) isBroken = true
  return {
    ...head,
    payload: isPointer ? null : payload,
    text: utf8(text),
    metadata: utf8(metadata),
    ...(seal === undefined ? {} : { seal }),
    ...(isBroken ? { damage: 'its encrypted bytes were altered or moved' } : {}),
  }
}

/** What messages are read from. */
export type MessageSource = Pick<Database, 'run' | 'vault'>

async function openRows<Raw extends RawHead, Row>(
  { vault }: MessageSource,
  read: { readonly tenantId: number; readonly rows: readonly Raw[] },
  open: (row: Raw, seal: RowSeal | undefined) => Row,
): Promise<Row[]> {
  const { tenantId, rows } = read
  const keys = rows.map((row) => ({ sessionId: row.session_id, version: row.key_version }))
  const seals = await vault.sealsOf(tenantId, keys)
  return rows.map((row) => open(row, seals(row.session_id, row.key_version)))
}

export interface SessionKey {
  readonly tenantId: number
  readonly sessionId: string
}

/** Messages of a session in order, without their bytes: to decide how many of them fit. */
export async function readHeads(database: MessageSource, key: SessionKey, range: SeqRange): Promise<MessageHead[]> {
  const rows = await database.run(
    (sql) => sql<RawHead[]>`
    select ${headColumns(sql, key.tenantId)} from messages where ${inRange(sql, key, range)} order by seq limit ${range.limit}`,
  )
  return await openRows(database, { tenantId: key.tenantId, rows }, headFromRow)
}

/** Messages of a session in order, with their bytes. */
export async function readMessages(database: MessageSource, key: SessionKey, range: SeqRange): Promise<MessageRow[]> {
  const rows = await database.run(
    (sql) => sql<RawMessage[]>`
    select ${headColumns(sql, key.tenantId)}, payload, text, metadata ${range.withFlags === true ? flagsColumn(sql) : sql``} from messages
    where ${inRange(sql, key, range)} order by seq limit ${range.limit}`,
  )
  return await openRows(database, { tenantId: key.tenantId, rows }, messageFromRow)
}

/** Messages by (session, seq), in no promised order; those that do not exist are absent. */
export async function readPlaces(
  database: MessageSource,
  tenantId: number,
  { places, payloadBytesMax, withFlags = true }: WantedPlaces,
): Promise<MessageRow[]> {
  const wanted = JSON.stringify(places.map((place) => ({ s: place.sessionId, q: place.seq })))
  const rows = await database.run(
    (sql) => sql<RawMessage[]>`
    select ${headColumns(sql, tenantId)}, payload, text, metadata ${withFlags ? flagsColumn(sql) : sql``}
    from jsonb_to_recordset(${wanted}::text::jsonb) as wanted(s uuid, q bigint)
    join messages on tenant_id = ${tenantId} and session_id = wanted.s and seq = wanted.q
      ${payloadBytesMax === undefined ? sql`` : sql`and payload_bytes <= ${payloadBytesMax}`}`,
  )
  return await openRows(database, { tenantId, rows }, messageFromRow)
}

/** One message by our id, or by the caller's own id within its session. */
export async function findMessage(
  database: MessageSource,
  key: SessionKey,
  reference: { readonly id?: string | undefined; readonly externalId: string },
): Promise<MessageRow | undefined> {
  const rows = await database.run(
    (sql) => sql<RawMessage[]>`
    select ${headColumns(sql, key.tenantId)}, payload, text, metadata ${flagsColumn(sql)} from messages
    where tenant_id = ${key.tenantId} and session_id = ${key.sessionId}
      and (id = ${reference.id ?? null} or external_id = ${reference.externalId}) limit 1`,
  )
  return (await openRows(database, { tenantId: key.tenantId, rows }, messageFromRow))[0]
}
