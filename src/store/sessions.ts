import type { Sql } from 'postgres'

import type { RowSeal } from '../crypto/row-seal.ts'
import type { SessionAction, Viewer } from '../model/access.ts'
import { looksLikeId } from '../model/ids.ts'
import type { FlagName } from '../model/messages/message-flags.ts'
import { andOpen } from './access/session-access.ts'
import { restrictedNames } from './access/usable.ts'
import type { MessageSource } from './messages.ts'
import type { Queries } from './rows.ts'
import { openSessions, sessionColumns, type RawSession, type SessionRow } from './session-row.ts'

/** All sessions that a reference names: by our id (at most one) or by the source's own (one a source). */
export async function sessionsByReference(
  database: MessageSource,
  viewer: Viewer,
  reference: { id?: string; externalId: string },
): Promise<SessionRow[]> {
  // Both lookups use an index: the primary key, and sessions_by_external_id.
  const rows = await database.run(
    (sql) => sql<RawSession[]>`
    select ${sessionColumns(sql, viewer.tenantId)} from sessions
    where tenant_id = ${viewer.tenantId} and (id = ${reference.id ?? null} or external_id = ${reference.externalId})
      ${andOpen(sql, viewer, 'list')}
    order by last_active_at desc, id limit 20`,
  )
  return await openSessions(database, viewer.tenantId, rows)
}

/** Our ids of what a reference names, two at most; perhaps of sessions that whoever asks may not see. */
export async function sessionIdsNamed(sql: Sql, tenantId: number, reference: string): Promise<string[]> {
  const id = looksLikeId(reference.toLowerCase()) ? reference : null
  const rows = await sql<{ id: string }[]>`
    select id from sessions where tenant_id = ${tenantId} and (external_id = ${reference} or id = ${id}) limit 2`
  return rows.map((row) => row.id)
}

/** Sessions by our ids, in no promised order; those that do not exist are absent. */
export async function sessionsById(
  database: MessageSource,
  tenantId: number,
  ids: readonly string[],
): Promise<SessionRow[]> {
  const rows = await database.run(
    (sql) => sql<RawSession[]>`
    select ${sessionColumns(sql, tenantId)} from sessions
    where tenant_id = ${tenantId} and id in (select jsonb_array_elements_text(${JSON.stringify(ids)}::text::jsonb)::uuid)`,
  )
  return await openSessions(database, tenantId, rows)
}

export interface SessionFilter {
  readonly participant?: string | undefined
  readonly model?: string | undefined
  readonly source?: string | undefined
  readonly since?: string | undefined
  readonly until?: string | undefined
  readonly tag?: string | undefined
  /** Only those with a message that is flagged so. */
  readonly flag?: FlagName | undefined
  readonly open?: boolean | undefined
}

/** The last session of a page: where the next page begins. */
export interface SessionPlace {
  readonly lastActiveAt: string
  readonly id: string
}

/** The condition that a session holds a flagged message. Uses `search_units_flagged`. */
function holdsFlagged(sql: Sql, tenantId: number, flag: FlagName) {
  return sql`and exists (
    select from search_units u where u.tenant_id = ${tenantId} and u.session_id = sessions.id and u.flags <> '{}' and u.flags ? ${flag}::text)`
}

/** Sessions, most recently active first, a page at a time by key. Uses sessions_by_activity for the hour, then sorts. */
export async function listSessions(
  database: MessageSource,
  viewer: Viewer,
  page: {
    readonly filter: SessionFilter
    readonly after?: SessionPlace | undefined
    readonly limit: number
    readonly withRestricted?: boolean
  },
): Promise<SessionRow[]> {
  const { filter, after } = page
  const rows = await database.run(
    (sql) => sql<RawSession[]>`
    select ${sessionColumns(sql, viewer.tenantId)} from sessions
    where tenant_id = ${viewer.tenantId} ${page.withRestricted === true ? sql`` : sql`and not restricted`}
      ${andOpen(sql, viewer, 'list')}
      ${
        after === undefined
          ? sql``
          : sql`and active_hour <= date_trunc('hour', ${after.lastActiveAt}::timestamptz)
        and (last_active_at, id) < (${after.lastActiveAt}::timestamptz, ${after.id}::uuid)`
      }
      ${
        filter.participant === undefined
          ? sql``
          : sql`and participants @> array[${filter.participant}]::text[]
        and ${filter.participant} not in (${restrictedNames(sql, viewer.tenantId)})`
      }
      ${filter.model === undefined ? sql`` : sql`and models_used @> array[${filter.model}]::text[]`}
      ${filter.source === undefined ? sql`` : sql`and source = ${filter.source}`}
      ${filter.since === undefined ? sql`` : sql`and last_active_at >= ${filter.since}::timestamptz`}
      ${filter.until === undefined ? sql`` : sql`and created_at <= ${filter.until}::timestamptz`}
      ${filter.tag === undefined ? sql`` : sql`and tags @> array[${filter.tag}]::text[]`}
      ${filter.flag === undefined ? sql`` : holdsFlagged(sql, viewer.tenantId, filter.flag)}
      ${filter.open === undefined ? sql`` : filter.open ? sql`and closed_at is null` : sql`and closed_at is not null`}
    order by active_hour desc, last_active_at desc, id desc limit ${page.limit}`,
  )
  return await openSessions(database, viewer.tenantId, rows)
}

export interface SessionChange {
  readonly closed?: boolean | undefined
  readonly title?: string | undefined
  readonly tags?: readonly string[] | undefined
  readonly restricted?: boolean | undefined
  readonly legalHold?: boolean | undefined
  readonly metadata?: string | undefined
}

/** How a session is changed: by whom, and under which seal its private columns are. */
export interface SessionChangeKey extends Viewer {
  readonly id: string
  readonly action: SessionAction
  readonly seal: RowSeal | undefined
}

/**
 * Changes what is given and nothing else. False where there is no session under that seal with which the viewer may do that.
 */
export async function updateSession(sql: Queries, key: SessionChangeKey, change: SessionChange): Promise<boolean> {
  const bytes = (field: 'title' | 'session metadata', text: string) => {
    const plain = Buffer.from(text, 'utf8')
    return key.seal === undefined ? plain : key.seal.seal({ field, id: key.id }, plain)
  }
  const rows = await sql`
    update sessions set version = version + 1, said_at = clock_timestamp()
      ${change.closed === undefined ? sql`` : change.closed ? sql`, closed_at = coalesce(closed_at, now())` : sql`, closed_at = null`}
      ${change.title === undefined ? sql`` : sql`, title = ${bytes('title', change.title)}`}
      ${change.metadata === undefined ? sql`` : sql`, metadata = ${bytes('session metadata', change.metadata)}`}
      ${change.tags === undefined ? sql`` : sql`, tags = array(select jsonb_array_elements_text(${JSON.stringify(change.tags)}::text::jsonb))`}
      ${change.restricted === undefined ? sql`` : sql`, restricted = ${change.restricted}, restrictions = restrictions + 1`}
      ${change.legalHold === undefined ? sql`` : sql`, legal_hold = ${change.legalHold}`}
    where tenant_id = ${key.tenantId} and id = ${key.id} and key_version = ${key.seal?.version ?? 0} ${andOpen(sql, key, key.action)}
    returning 1`
  return rows.length > 0
}

/** The versions of some sessions, to see which have changed. Sessions that do not exist are absent. */
export async function sessionVersions(sql: Sql, viewer: Viewer, ids: readonly string[]): Promise<Map<string, number>> {
  const rows = await sql<{ id: string; version: string }[]>`
    select id, version from sessions
    where tenant_id = ${viewer.tenantId} and id in (select jsonb_array_elements_text(${JSON.stringify(ids)}::text::jsonb)::uuid)
      ${andOpen(sql, viewer, 'read')}`
  return new Map(rows.map((row) => [row.id, Number(row.version)]))
}

/** Ids, ours and (`all`) the sources' too, that begin with a prefix: for completion while a user types. */
export async function sessionIdsByPrefix(
  sql: Sql,
  viewer: Viewer,
  { prefix, limit, ids }: { readonly prefix: string; readonly limit: number; readonly ids: 'ours' | 'all' },
): Promise<string[]> {
  const pattern = `${prefix.replaceAll(/[\\%_]/g, (character) => `\\${character}`)}%`
  const rows = await sql<{ id: string; external_id: string | null }[]>`
    select id, external_id from sessions
    where tenant_id = ${viewer.tenantId} and not restricted and (id::text like ${pattern} or (${ids === 'all'} and external_id like ${pattern}))
      ${andOpen(sql, viewer, 'list')}
    order by active_hour desc, last_active_at desc limit ${limit}`
  return rows.map((row) =>
    row.external_id?.startsWith(prefix) === true && !row.id.startsWith(prefix) ? row.external_id : row.id,
  )
}
