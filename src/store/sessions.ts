import type { Sql } from 'postgres'

import type { SessionAction, Viewer } from '../model/access.ts'
import { looksLikeId } from '../model/ids.ts'
import { isoTime, type Queries } from './rows.ts'
import { andOpen } from './session-access.ts'

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
  readonly version: number
}

interface RawSession {
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
  version: string
}

/** Arrays come as JSON, so that a connection need not ask the server for its array types first. */
const columns = (sql: Queries) => sql`
  id, source, external_id, title, created_at, last_active_at, closed_at, to_jsonb(participants) as participants,
  to_jsonb(models_used) as models_used, message_count, payload_bytes, input_tokens, output_tokens, cache_read_tokens,
  cache_write_tokens, tool_invocations, context_switches, last_seq, parent_session_id, parent_external_id,
  to_jsonb(tags) as tags, metadata, restricted, legal_hold, version`

function fromRow(row: RawSession): SessionRow {
  const text = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString('utf8'))
  const metadata = text(row.metadata)
  return {
    id: row.id,
    source: row.source,
    externalId: row.external_id,
    title: text(row.title),
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
    version: Number(row.version),
  }
}

/** All sessions that a reference names: by our id (at most one) or by the source's own (one a source). */
export async function sessionsByReference(
  sql: Sql,
  viewer: Viewer,
  reference: { id?: string; externalId: string },
): Promise<SessionRow[]> {
  // Both lookups use an index: the primary key, and sessions_by_external_id.
  const rows = await sql<RawSession[]>`
    select ${columns(sql)} from sessions
    where tenant_id = ${viewer.tenantId} and (id = ${reference.id ?? null} or external_id = ${reference.externalId})
      ${andOpen(sql, viewer, 'list')}
    order by last_active_at desc, id limit 20`
  return rows.map(fromRow)
}

/** Whether a reference is in use, perhaps by a session that whoever asks may not see. */
export async function hasSession(sql: Sql, tenantId: number, reference: string): Promise<boolean> {
  const id = looksLikeId(reference.toLowerCase()) ? reference : null
  const rows = await sql`
    select from sessions where tenant_id = ${tenantId} and (external_id = ${reference} or id = ${id}) limit 1`
  return rows.length > 0
}

/** Sessions by our ids, in no promised order; those that do not exist are absent. */
export async function sessionsById(sql: Queries, tenantId: number, ids: readonly string[]): Promise<SessionRow[]> {
  const rows = await sql<RawSession[]>`
    select ${columns(sql)} from sessions
    where tenant_id = ${tenantId} and id in (select jsonb_array_elements_text(${JSON.stringify(ids)}::text::jsonb)::uuid)`
  return rows.map(fromRow)
}

export interface SessionFilter {
  readonly participant?: string | undefined
  readonly model?: string | undefined
  readonly source?: string | undefined
  readonly since?: string | undefined
  readonly until?: string | undefined
  readonly tag?: string | undefined
  readonly open?: boolean | undefined
}

/** The last session of a page: where the next page begins. */
export interface SessionPlace {
  readonly lastActiveAt: string
  readonly id: string
}

/** Sessions, most recently active first, a page at a time by key. Uses sessions_by_activity for the hour, then sorts. */
export async function listSessions(
  sql: Sql,
  viewer: Viewer,
  page: {
    readonly filter: SessionFilter
    readonly after?: SessionPlace | undefined
    readonly limit: number
    readonly withRestricted?: boolean
  },
): Promise<SessionRow[]> {
  const { filter, after } = page
  const rows = await sql<RawSession[]>`
    select ${columns(sql)} from sessions
    where tenant_id = ${viewer.tenantId} ${page.withRestricted === true ? sql`` : sql`and not restricted`}
      ${andOpen(sql, viewer, 'list')}
      ${
        after === undefined
          ? sql``
          : sql`and active_hour <= date_trunc('hour', ${after.lastActiveAt}::timestamptz)
        and (last_active_at, id) < (${after.lastActiveAt}::timestamptz, ${after.id}::uuid)`
      }
      ${filter.participant === undefined ? sql`` : sql`and participants @> array[${filter.participant}]::text[]`}
      ${filter.model === undefined ? sql`` : sql`and models_used @> array[${filter.model}]::text[]`}
      ${filter.source === undefined ? sql`` : sql`and source = ${filter.source}`}
      ${filter.since === undefined ? sql`` : sql`and last_active_at >= ${filter.since}::timestamptz`}
      ${filter.until === undefined ? sql`` : sql`and created_at <= ${filter.until}::timestamptz`}
      ${filter.tag === undefined ? sql`` : sql`and tags @> array[${filter.tag}]::text[]`}
      ${filter.open === undefined ? sql`` : filter.open ? sql`and closed_at is null` : sql`and closed_at is not null`}
    order by active_hour desc, last_active_at desc, id desc limit ${page.limit}`
  return rows.map(fromRow)
}

export interface SessionChange {
  readonly closed?: boolean | undefined
  readonly title?: string | undefined
  readonly tags?: readonly string[] | undefined
  readonly restricted?: boolean | undefined
  readonly legalHold?: boolean | undefined
  readonly metadata?: string | undefined
}

/** Changes what is given and nothing else; returns the session after it, or undefined where there is none with which the viewer may do that. */
export async function updateSession(
  sql: Queries,
  key: Viewer & { readonly id: string; readonly action: SessionAction },
  change: SessionChange,
): Promise<SessionRow | undefined> {
  const bytes = (text: string) => Buffer.from(text, 'utf8')
  const rows = await sql<RawSession[]>`
    update sessions set version = version + 1
      ${change.closed === undefined ? sql`` : change.closed ? sql`, closed_at = coalesce(closed_at, now())` : sql`, closed_at = null`}
      ${change.title === undefined ? sql`` : sql`, title = ${bytes(change.title)}`}
      ${change.metadata === undefined ? sql`` : sql`, metadata = ${bytes(change.metadata)}`}
      ${change.tags === undefined ? sql`` : sql`, tags = array(select jsonb_array_elements_text(${JSON.stringify(change.tags)}::text::jsonb))`}
      ${change.restricted === undefined ? sql`` : sql`, restricted = ${change.restricted}`}
      ${change.legalHold === undefined ? sql`` : sql`, legal_hold = ${change.legalHold}`}
    where tenant_id = ${key.tenantId} and id = ${key.id} ${andOpen(sql, key, key.action)}
    returning ${columns(sql)}`
  return rows[0] === undefined ? undefined : fromRow(rows[0])
}

/** The versions of some sessions, to see which have changed. Sessions that do not exist are absent. */
export async function sessionVersions(sql: Sql, viewer: Viewer, ids: readonly string[]): Promise<Map<string, number>> {
  const rows = await sql<{ id: string; version: string }[]>`
    select id, version from sessions
    where tenant_id = ${viewer.tenantId} and id in (select jsonb_array_elements_text(${JSON.stringify(ids)}::text::jsonb)::uuid)
      ${andOpen(sql, viewer, 'read')}`
  return new Map(rows.map((row) => [row.id, Number(row.version)]))
}

/** A text that changes whenever something is changed: every change writes an audit row, whose number is at hand. */
export async function storeVersion(sql: Sql, tenantId: number): Promise<string> {
  const rows = await sql<{ version: string }[]>`
    select coalesce(max(id), 0)::text as version from audit_log where tenant_id = ${tenantId}`
  return rows[0]?.version ?? ''
}

/** Ids, ours and the sources', that begin with a prefix: for completion while a user types. */
export async function sessionIdsByPrefix(
  sql: Sql,
  viewer: Viewer,
  { prefix, limit }: { readonly prefix: string; readonly limit: number },
): Promise<string[]> {
  const pattern = `${prefix.replaceAll(/[\\%_]/g, (character) => `\\${character}`)}%`
  const rows = await sql<{ id: string; external_id: string | null }[]>`
    select id, external_id from sessions
    where tenant_id = ${viewer.tenantId} and not restricted and (id::text like ${pattern} or external_id like ${pattern})
      ${andOpen(sql, viewer, 'list')}
    order by active_hour desc, last_active_at desc limit ${limit}`
  return rows.map((row) =>
    row.external_id?.startsWith(prefix) === true && !row.id.startsWith(prefix) ? row.external_id : row.id,
  )
}
