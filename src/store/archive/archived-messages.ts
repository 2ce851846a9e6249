import { z } from 'zod'

import type { RowSeal, SealPlace } from '../../crypto/row-seal.ts'
import { DamagedPayload } from '../../errors.ts'
import { correctedIdOf } from '../../model/messages/correction.ts'
import { sha256, textMediaType } from '../../model/messages/payload.ts'
import type { MessageRow, SessionKey } from '../messages.ts'
import { restoreCorrections } from '../rights/corrections.ts'
import type { Queries } from '../rows.ts'

const tokens = z.number().int().optional()
const name = z.string().optional()

/**
 * What is archived of a message beside its bytes: every column of its row by its name, but for those that follow from where
 * it is stored (tenant, session, key version). What the row has not is left out. Times are ISO 8601 in UTC, the SHA-256 is
 * in hex.
 */
export const messageRecordSchema = z.object({
  seq: z.number().int().positive(),
  id: z.string(),
  external_id: name,
  parent_id: name,
  parent_external_id: name,
  replaces_id: name,
  follows_id: name,
  timestamp: z.string(),
  saved_at: z.string(),
  role: z.string(),
  sender: z.string(),
  model: name,
  kind: z.string(),
  trust: z.string(),
  input_tokens: tokens,
  output_tokens: tokens,
  cache_read_tokens: tokens,
  cache_write_tokens: tokens,
  tools_used: z.array(z.string()).optional(),
  tool_call_id: name,
  context_switch: name,
  payload_location: name,
  payload_bytes: z.number().int(),
  payload_sha256: z.string().regex(/^[0-9a-f]{64}$/),
  payload_media_type: z.string(),
  anonymized_at: name,
})
export type MessageRecord = z.infer<typeof messageRecordSchema>

/** A message as it is archived: what is known of it, and the bytes of its row; null where the row has none. */
export interface ArchivedMessage {
  readonly record: MessageRecord
  readonly payload: Uint8Array | null
  readonly text: Uint8Array | null
  readonly metadata: Uint8Array | null
}

/** Throws DamagedPayload, naming the message, where its bytes cannot be opened: what is lost is not to be archived as empty. */
export function archivedMessage(row: MessageRow): ArchivedMessage {
  if (row.damage !== undefined)
    throw new DamagedPayload(`Cannot archive message "${row.id}" as ${row.damage}`, {
      remedy: 'Run "verbatim verify", then restore it from a backup',
    })
  const bytes = (text: string | null) => (text === null ? null : Buffer.from(text, 'utf8'))
  const given = <T>(value: T | null): T | undefined => value ?? undefined
  return {
    // Undefined members are left out where this is written.
    record: {
      seq: row.seq,
      id: row.id,
      external_id: given(row.externalId),
      parent_id: given(row.parentId),
      parent_external_id: given(row.parentExternalId),
      replaces_id: given(row.replacesId),
      follows_id: given(row.followsId),
      timestamp: row.timestamp,
      saved_at: row.savedAt,
      role: row.role,
      sender: row.sender,
      model: given(row.model),
      kind: row.kind,
      trust: row.trust,
      input_tokens: given(row.inputTokens),
      output_tokens: given(row.outputTokens),
      cache_read_tokens: given(row.cacheReadTokens),
      cache_write_tokens: given(row.cacheWriteTokens),
      tools_used: row.toolsUsed === null ? undefined : [...row.toolsUsed],
      tool_call_id: given(row.toolCallId),
      context_switch: given(row.contextSwitch),
      payload_location: given(row.payloadLocation),
      payload_bytes: row.payloadBytes,
      payload_sha256: Buffer.from(row.payloadSha256).toString('hex'),
      payload_media_type: row.payloadMediaType,
      anonymized_at: given(row.anonymizedAt),
    },
    payload: row.payload,
    text: bytes(row.text),
    metadata: bytes(row.metadata),
  }
}

/** A message as the row of a sealed session has it. */
function sealed(message: ArchivedMessage, seal: RowSeal | undefined): ArchivedMessage {
  if (seal === undefined) return message
  const { record, payload, text, metadata } = message
  const close = (field: SealPlace['field'], bytes: Uint8Array | null) =>
    bytes === null ? null : seal.seal({ field, id: record.id }, bytes)
  const { payload_location: location } = record
  const masked = seal.mask(Buffer.from(record.payload_sha256, 'hex')).toString('hex')
  return {
    record: { ...record, payload_sha256: masked },
    payload: close('payload', location === undefined ? payload : Buffer.from(location)),
    text: close('text', text),
    metadata: close('metadata', metadata),
  }
}

/** The place of a message that was erased after it was archived, as `store/erasure` leaves it. */
export function emptied({ record }: ArchivedMessage): ArchivedMessage {
  const { seq, id, external_id: externalId, parent_id: parentId, replaces_id: replacesId, timestamp, role } = record
  return {
    record: {
      seq,
      id,
      external_id: externalId,
      parent_id: parentId,
      replaces_id: replacesId,
      follows_id: record.follows_id,
      timestamp,
      saved_at: record.saved_at,
      role,
      sender: '',
      kind: 'erased',
      trust: 'external',
      payload_bytes: 0,
      payload_sha256: sha256(new Uint8Array()).toString('hex'),
      payload_media_type: textMediaType,
    },
    payload: new Uint8Array(),
    text: null,
    metadata: null,
  }
}

/** Stores messages as they were archived, in one statement. Those that are there are left as they are. */
export async function insertArchivedMessages(
  sql: Queries,
  key: SessionKey,
  { messages, seal }: { readonly messages: readonly ArchivedMessage[]; readonly seal: RowSeal | undefined },
): Promise<void> {
  const parts: Uint8Array[] = []
  let length = 0
  const place = (bytes: Uint8Array | null) => {
    if (bytes === null) return undefined
    parts.push(bytes)
    length += bytes.length
    // The first byte has the number 1 there.
    return { at: length - bytes.length + 1, for: bytes.length }
  }
  const heads = messages.map((message) => {
    const { record, payload, text, metadata } = sealed(message, seal)
    return {
      r: { ...record, payload_sha256: String.raw`\x${record.payload_sha256}` },
      p: place(payload),
      t: place(text),
      m: place(metadata),
    }
  })
  await sql`
    with bytes as materialized (select ${Buffer.concat(parts, length)}::bytea as all_of_them),
    heads as (
      select * from jsonb_to_recordset(${JSON.stringify(heads)}::text::jsonb) as heads(r jsonb, p jsonb, t jsonb, m jsonb)
    )
    insert into messages (tenant_id, session_id, seq, id, external_id, parent_id, parent_external_id, replaces_id, follows_id, timestamp,
      saved_at, role, sender, model, kind, trust, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, tools_used,
      tool_call_id, context_switch, payload, payload_location, payload_bytes, payload_sha256, payload_media_type, text, metadata,
      key_version, anonymized_at)
    select ${key.tenantId}, ${key.sessionId}, seq, id, external_id, parent_id, parent_external_id, replaces_id, follows_id, timestamp,
      saved_at, role, sender, model, kind, trust, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, tools_used,
      tool_call_id, context_switch, substring(all_of_them from (p->>'at')::int for (p->>'for')::int), payload_location,
      payload_bytes, payload_sha256, payload_media_type, substring(all_of_them from (t->>'at')::int for (t->>'for')::int),
      substring(all_of_them from (m->>'at')::int for (m->>'for')::int), ${seal?.version ?? 0}::int, anonymized_at
    from bytes, heads, lateral (
      select x.* from jsonb_populate_record(null::messages, heads.r) x
    ) known
    on conflict do nothing`
  if (messages.some(({ record }) => isCorrection(record))) await restoreCorrections(sql, key)
}

function isCorrection({ external_id: externalId, replaces_id: replacesId }: ArchivedMessage['record']): boolean {
  return correctedIdOf({ externalId: externalId ?? null, replacesId: replacesId ?? null }) !== undefined
}
