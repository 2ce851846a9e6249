import type { PendingQuery, Row } from 'postgres'

import { BrokenSeal } from '../crypto/aead.ts'
import type { RowSeal } from '../crypto/row-seal.ts'
import { restrictedNames } from './access/usable.ts'
import type { MessageSource } from './messages.ts'
import { isoTime, type Queries } from './rows.ts'

/** One session as stored, with its totals. Times are ISO 8601 in UTC; counts are whole numbers. */
export interface SessionRow {
  readonly id: string
  readonly source: string
  readonly externalId: string | null
  readonly title: string | null
  readonly createdAt: string
  readonly lastActiveAt: string
  readonly closedAt: string | null
  readonly participants: readonly string[]
  readonly modelsUsed: readonly string[]
  readonly messageCount: number
  readonly payloadBytes: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cacheReadTokens: number
  readonly cacheWriteTokens: number
  readonly toolInvocations: number
  readonly contextSwitches: number
  readonly lastSeq: number
  readonly parentSessionId: string | null
  readonly parentExternalId: string | null
  readonly tags: readonly string[]
  readonly metadata: Readonly<Record<string, unknown>> | null
  readonly restricted: boolean
  readonly legalHold: boolean
  /** When messages of it were last anonymised. */
  readonly anonymizedAt: string | null
  readonly version: number
  /** Of its key; 0 where it is not sealed. */
  readonly keyVersion: number
  /** Why its title and metadata could not be opened; the title then says that in their place. */
  readonly damage?: string
}

export interface RawSession {
  id: string
  source: string
  external_id: string | null
  title: Uint8Array | null
  created_at: string
  last_active_at: string
  closed_at: string | null
  participants: string[]
  models_used: string[]
  message_count: string
  payload_bytes: string
  input_tokens: string
  output_tokens: string
  cache_read_tokens: string
  cache_write_tokens: string
  tool_invocations: string
  context_switches: string
  last_seq: string
  parent_session_id: string | null
  parent_external_id: string | null
  tags: string[]
  metadata: Uint8Array | null
  restricted: boolean
  legal_hold: boolean
  anonymized_at: string | null
  version: string
  key_version: number
}

/**
 * Arrays come as JSON, so that a connection need not ask the server for its array types first. Title and metadata may be taken from
 * what any participant said: where one of them is restricted they are not shown.
 */
export const sessionColumns = (sql: Queries, tenantId: number) => sql`
  id, source, external_id, ${unlessRestricted(sql, tenantId, sql`title`)} as title, created_at, last_active_at, closed_at, to_jsonb(participants) as participants,
  to_jsonb(models_used) as models_used, message_count, payload_bytes, input_tokens, output_tokens, cache_read_tokens,
  cache_write_tokens, tool_invocations, context_switches, last_seq, parent_session_id, parent_external_id,
  to_jsonb(tags) as tags, ${unlessRestricted(sql, tenantId, sql`metadata`)} as metadata, restricted, legal_hold, anonymized_at, version, key_version`

function unlessRestricted(sql: Queries, tenantId: number, column: PendingQuery<Row[]>) {
  return sql`case when participants && array(${restrictedNames(sql, tenantId)}) then null else ${column} end`
}

/** What a session says about itself, or why that cannot be had. */
function openPrivate(row: RawSession, seal: RowSeal | undefined) {
  const refused = (damage: string) => ({ title: `[title refused: ${damage}]`, metadata: null, damage })
  const isEmpty = row.title === null && row.metadata === null
  if (row.key_version !== 0 && seal === undefined && !isEmpty)
    return refused('the key of the session is missing or was altered')
  const open = (field: 'title' | 'session metadata', bytes: Uint8Array | null) => {
    if (bytes === null) return null
    return Buffer.from(seal === undefined ? bytes : seal.open({ field, id: row.id }, bytes)).toString('utf8')
  }
  try {
    return { title: open('title', row.title), metadata: open('session metadata', row.metadata) }
  } catch (error) {
    if (!(error instanceof BrokenSeal)) throw error
    return refused('its encrypted bytes were altered or moved')
  }
}

function fromRow(row: RawSession, seal: RowSeal | undefined): SessionRow {
  const { title, metadata, ...damage } = openPrivate(row, seal)
  return {
    id: row.id,
    source: row.source,
    externalId: row.external_id,
    title,
    createdAt: isoTime(row.created_at),
    lastActiveAt: isoTime(row.last_active_at),
    closedAt: isoTime(row.closed_at),
    participants: row.participants,
    modelsUsed: row.models_used,
    messageCount: Number(row.message_count),
    payloadBytes: Number(row.payload_bytes),
    inputTokens: Number(row.input_tokens),
    outputTokens: Number(row.output_tokens),
    cacheReadTokens: Number(row.cache_read_tokens),
    cacheWriteTokens: Number(row.cache_write_tokens),
    toolInvocations: Number(row.tool_invocations),
    contextSwitches: Number(row.context_switches),
    lastSeq: Number(row.last_seq),
    parentSessionId: row.parent_session_id,
    parentExternalId: row.parent_external_id,
    tags: row.tags,
    metadata: metadata === null ? null : JSON.parse(metadata),
    restricted: row.restricted,
    legalHold: row.legal_hold,
    anonymizedAt: isoTime(row.anonymized_at),
    version: Number(row.version),
    keyVersion: row.key_version,
    ...damage,
  }
}

/** Sessions as they were saved. */
export async function openSessions(
  { vault }: MessageSource,
  tenantId: number,
  rows: readonly RawSession[],
): Promise<SessionRow[]> {
  const sealed = rows.filter((row) => row.title !== null || row.metadata !== null)
  const keys = sealed.map((row) => ({ sessionId: row.id, version: row.key_version }))
  const seals = await vault.sealsOf(tenantId, keys)
  return rows.map((row) => fromRow(row, seals(row.id, row.key_version)))
}
