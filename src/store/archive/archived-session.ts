import { z } from 'zod'

import { BrokenSeal } from '../../crypto/aead.ts'
import type { RowSeal, SealPlace } from '../../crypto/row-seal.ts'
import { DamagedPayload } from '../../errors.ts'
import { sessionKeyMissing, type SealedWork } from '../keys/session-key-missing.ts'
import type { MessageSource, SessionKey } from '../messages.ts'
import type { Queries } from '../rows.ts'

const time = z.string()
const count = z.number().int()
const names = z.array(z.string())

/**
 * A session as it is archived: every column of its row by its name, but for those that follow from others (the hour of its
 * activity) or from where it is stored (tenant, key version). Times are ISO 8601 in UTC.
 */
export const sessionRecordSchema = z.object({
  id: z.string(),
  source: z.string(),
  external_id: z.string().nullable(),
  title: z.string().nullable(),
  created_at: time,
  last_active_at: time,
  closed_at: time.nullable(),
  participants: names,
  models_used: names,
  message_count: count,
  payload_bytes: count,
  input_tokens: count,
  output_tokens: count,
  cache_read_tokens: count,
  cache_write_tokens: count,
  tool_invocations: count,
  context_switches: count,
  last_seq: count,
  last_model: z.string().nullable(),
  last_message_id: z.string().nullable(),
  parent_session_id: z.string().nullable(),
  parent_external_id: z.string().nullable(),
  tags: names,
  /** JSON as it is stored. */
  metadata: z.string().nullable(),
  retention_policy_id: z.string().nullable(),
  legal_hold: z.boolean(),
  restricted: z.boolean(),
  said_at: time.nullable().default(null),
  anonymized_at: time.nullable(),
  /** Archives of before there were erasures do not say it. */
  erasures: count.default(0),
  version: count,
})
export type SessionRecord = z.infer<typeof sessionRecordSchema>

export const summaryRecordSchema = z.object({
  id: z.string(),
  level: z.string(),
  style: z.string(),
  first_seq: count.nullable(),
  last_seq: count.nullable(),
  /** JSON as it is stored. */
  body: z.string(),
  made_by: z.string(),
  model: z.string().nullable(),
  created_at: time,
})
export type SummaryRecord = z.infer<typeof summaryRecordSchema>

/** A column's time as text, to the millisecond, which is what columns hold. */
const isoColumn = (sql: Queries, name: string) =>
  sql`to_char(${sql(name)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as ${sql(name)}`

/** Private columns of a session, opened. Throws DamagedPayload, naming them, where they cannot be. */
export function openText(seal: RowSeal | undefined, place: SealPlace, bytes: Uint8Array): string {
  try {
    return Buffer.from(seal === undefined ? bytes : seal.open(place, bytes)).toString('utf8')
  } catch (error) {
    if (!(error instanceof BrokenSeal)) throw error
    throw refused(place, 'its encrypted bytes were altered or moved')
  }
}

function refused({ field, id }: SealPlace, why: string): DamagedPayload {
  return new DamagedPayload(`Cannot read the ${field} of "${id}" as ${why}`, {
    remedy: 'Run "verbatim verify", then restore it from a backup',
  })
}

async function sealFor(
  { vault }: MessageSource,
  key: SessionKey,
  { version, work }: { readonly version: number; readonly work: SealedWork },
): Promise<RowSeal | undefined> {
  if (version === 0) return undefined
  const seals = await vault.sealsOf(key.tenantId, [{ sessionId: key.sessionId, version }])
  const seal = seals(key.sessionId, version)
  if (seal === undefined) throw sessionKeyMissing(key.sessionId, work)
  return seal
}

/** A session with everything but its messages, for some work; undefined where there is none. Throws SessionKeyMissing. */
export async function readSessionRecord(
  database: MessageSource,
  key: SessionKey,
  work: SealedWork = 'read',
): Promise<SessionRecord | undefined> {
  const [row] = await database.run(
    (sql) => sql<
      {
        record: Record<string, unknown>
        title: Uint8Array | null
        metadata: Uint8Array | null
        key_version: number
      }[]
    >`
    select to_jsonb(head) as record, title, metadata, key_version from sessions s, lateral (
      select s.id, s.source, s.external_id, s.participants, s.models_used, s.message_count, s.payload_bytes, s.input_tokens,
        s.output_tokens, s.cache_read_tokens, s.cache_write_tokens, s.tool_invocations, s.context_switches, s.last_seq,
        s.last_model, s.last_message_id, s.parent_session_id, s.parent_external_id, s.tags, s.retention_policy_id, s.legal_hold,
        s.restricted, s.version, s.erasures, ${isoColumn(sql, 'created_at')}, ${isoColumn(sql, 'last_active_at')},
        ${isoColumn(sql, 'closed_at')}, ${isoColumn(sql, 'anonymized_at')}, ${isoColumn(sql, 'said_at')}
    ) head
    where s.tenant_id = ${key.tenantId} and s.id = ${key.sessionId}`,
  )
  if (row === undefined) return undefined
  const seal = await sealFor(database, key, { version: row.key_version, work })
  const open = (field: 'title' | 'session metadata', bytes: Uint8Array | null) =>
    bytes === null ? null : openText(seal, { field, id: key.sessionId }, bytes)
  const own = { title: open('title', row.title), metadata: open('session metadata', row.metadata) }
  return sessionRecordSchema.parse({ ...row.record, ...own })
}

/** The summaries of a session, the oldest first, without the extracts of its segments: they are made again from its messages. */
export async function readSummaryRecords(database: MessageSource, key: SessionKey): Promise<SummaryRecord[]> {
  const rows = await database.run(
    (sql) => sql<{ record: Record<string, unknown>; id: string; body: Uint8Array; key_version: number }[]>`
    select to_jsonb(head) as record, s.id, body, key_version from summaries s, lateral (
      select s.id, s.level, s.style, s.first_seq, s.last_seq, s.made_by, s.model, ${isoColumn(sql, 'created_at')}
    ) head
    where s.tenant_id = ${key.tenantId} and s.session_id = ${key.sessionId} and not (s.level = 'segment' and s.style = 'extract')
    order by s.created_at, s.id`,
  )
  const records: SummaryRecord[] = []
  for (const { record, id, body, key_version: version } of rows) {
    const seal = await sealFor(database, key, { version, work: 'read' })
    records.push(summaryRecordSchema.parse({ ...record, body: openText(seal, { field: 'summary', id }, body) }))
  }
  return records
}

/**
 * Stores a session as it was archived, with its summaries, and leaves its messages to be indexed. Of a session that is
 * there nothing is changed. Fails where another session has its external id.
 */
export async function insertSessionRecord(
  sql: Queries,
  tenantId: number,
  archived: {
    readonly session: SessionRecord
    readonly summaries: readonly SummaryRecord[]
    readonly seal: RowSeal | undefined
  },
): Promise<void> {
  const { title, metadata, ...head } = archived.session
  const { seal } = archived
  const version = seal?.version ?? 0
  const bytes = (field: 'title' | 'session metadata', text: string | null) =>
    text === null ? null : sealedText(seal, { field, id: head.id }, text)
  await sql`
    insert into sessions (tenant_id, id, source, external_id, title, created_at, last_active_at, active_hour, closed_at,
      participants, models_used, message_count, payload_bytes, input_tokens, output_tokens, cache_read_tokens,
      cache_write_tokens, tool_invocations, context_switches, last_seq, last_model, last_message_id, parent_session_id,
      parent_external_id, tags, metadata, retention_policy_id, legal_hold, restricted, anonymized_at, version, key_version, erasures,
      said_at)
    select ${tenantId}, id, source, external_id, ${bytes('title', title)}, created_at, last_active_at, date_trunc('hour', last_active_at),
      closed_at, participants, models_used, message_count, payload_bytes, input_tokens, output_tokens, cache_read_tokens,
      cache_write_tokens, tool_invocations, context_switches, last_seq, last_model, last_message_id, parent_session_id,
      parent_external_id, tags, ${bytes('session metadata', metadata)}, retention_policy_id, legal_hold, restricted, anonymized_at, version, ${version}::int,
      erasures, said_at
    from jsonb_populate_record(null::sessions, ${JSON.stringify(head)}::text::jsonb)
    on conflict (tenant_id, id) do nothing`
  await insertSummaryRecords(sql, { tenantId, sessionId: head.id }, { summaries: archived.summaries, seal })
}

/** Stores summaries of a session as they were archived; those that are there stay. */
export async function insertSummaryRecords(
  sql: Queries,
  { tenantId, sessionId }: SessionKey,
  { summaries, seal }: { readonly summaries: readonly SummaryRecord[]; readonly seal: RowSeal | undefined },
): Promise<void> {
  for (const { body, ...summary } of summaries)
    await sql`
      insert into summaries (tenant_id, id, session_id, level, style, first_seq, last_seq, body, made_by, model, created_at,
        key_version)
      select ${tenantId}, id, ${sessionId}, level, style, first_seq, last_seq, ${sealedText(seal, { field: 'summary', id: summary.id }, body)}, made_by,
        model, created_at, ${seal?.version ?? 0}::int
      from jsonb_populate_record(null::summaries, ${JSON.stringify(summary)}::text::jsonb)
      on conflict do nothing`
}

/** A text as a private column has it. */
export function sealedText(seal: RowSeal | undefined, place: SealPlace, text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8')
  return seal === undefined ? bytes : seal.seal(place, bytes)
}
