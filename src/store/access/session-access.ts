import type { PendingQuery, Row } from 'postgres'

import { rolesThatMay, type SessionAction, type SessionRole, type Viewer } from '../../model/access.ts'
import type { Queries } from '../rows.ts'
import { joined, text, type SqlText } from '../sql-text.ts'

/** What to do where a role is missing. */
export const accessRemedy = 'Ask whoever runs the server: "verbatim access grant" gives a role'

/** The condition that the session in a column is open to a viewer; nothing for who sees all of the tenant. */
export function openSessions(column: SqlText, viewer: Viewer, action: SessionAction): SqlText {
  if (viewer.principalId === undefined) return text``
  const roles = joined(
    rolesThatMay[action].map((role) => text`${role}`),
    text`, `,
  )
  const granted = text`select from session_grants g where g.tenant_id = ${viewer.tenantId} and g.session_id = ${column}`
  return text`and (not exists (${granted}) or exists (${granted}
    and g.principal_id = ${viewer.principalId}::text::uuid and g.role in (${roles})))`
}

/** The same on `sessions`, for a statement of postgres.js. */
export function andOpen(sql: Queries, viewer: Viewer, action: SessionAction): PendingQuery<Row[]> {
  if (viewer.principalId === undefined) return sql``
  const granted = () =>
    sql`select from session_grants g where g.tenant_id = ${viewer.tenantId} and g.session_id = sessions.id`
  return sql`and (not exists (${granted()}) or exists (${granted()}
    and g.principal_id = ${viewer.principalId} and g.role = any(${[...rolesThatMay[action]]})))`
}

/** Whether there is a session of the tenant that the viewer may not read. */
export async function hasClosedSessions(sql: Queries, viewer: Viewer): Promise<boolean> {
  if (viewer.principalId === undefined) return false
  const rows = await sql`
    select from session_grants where tenant_id = ${viewer.tenantId} group by session_id
    having not bool_or(principal_id = ${viewer.principalId} and role = any(${[...rolesThatMay.read]})) limit 1`
  return rows.length > 0
}

/** The condition that one session is open to a viewer, for a statement of postgres.js that does something with it. */
export function whereOpen(
  sql: Queries,
  viewer: Viewer,
  { sessionId, action }: { readonly sessionId: string; readonly action: SessionAction },
): PendingQuery<Row[]> {
  if (viewer.principalId === undefined) return sql``
  return sql`where coalesce((
    select bool_or(g.principal_id = ${viewer.principalId} and g.role = any(${[...rolesThatMay[action]]}))
    from session_grants g where g.tenant_id = ${viewer.tenantId} and g.session_id = ${sessionId}), true)`
}

/**
 * The role of the viewer in a session: null where it is shared with others only, `open` where with nobody in particular;
 * `owner` for who sees all of the tenant.
 */
export async function roleIn(sql: Queries, viewer: Viewer, sessionId: string): Promise<SessionRole | 'open' | null> {
  if (viewer.principalId === undefined) return 'owner'
  const rows = await sql<{ principal_id: string; role: SessionRole }[]>`
    select principal_id, role from session_grants where tenant_id = ${viewer.tenantId} and session_id = ${sessionId}`
  return rows.length === 0 ? 'open' : (rows.find((row) => row.principal_id === viewer.principalId)?.role ?? null)
}

/** Whether a role, as `roleIn` gives it, is enough. */
export function mayDo(role: SessionRole | 'open' | null, action: SessionAction): boolean {
  return role === 'open' || rolesThatMay[action].some((enough) => enough === role)
}

export interface SessionGrant {
  /** Who, by name. */
  readonly principal: string
  readonly role: SessionRole
  readonly grantedAt: Date
}

export async function readGrants(sql: Queries, tenantId: number, sessionId: string): Promise<SessionGrant[]> {
  const rows = await sql<{ principal: string; role: SessionRole; created_at: Date }[]>`
    select coalesce(p.name, '(restored)') as principal, g.role, g.created_at from session_grants g
      left join principals p on p.tenant_id = g.tenant_id and p.id = g.principal_id
    where g.tenant_id = ${tenantId} and g.session_id = ${sessionId} order by p.name, p.id`
  return rows.map((row) => ({ principal: row.principal, role: row.role, grantedAt: row.created_at }))
}

/** Principals of a name: none, one, or several from different identity providers. */
export async function principalsNamed(sql: Queries, tenantId: number, name: string): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select id from principals where tenant_id = ${tenantId} and name = ${name} and disabled_at is null order by id`
  return rows.map(({ id }) => id)
}

export interface GrantKey {
  readonly tenantId: number
  readonly sessionId: string
  readonly principalId: string
}

/** Gives a principal a role in a session, in place of the one that it had. */
export async function writeGrant(sql: Queries, key: GrantKey, role: SessionRole): Promise<void> {
  await sql`
    insert into session_grants (tenant_id, session_id, principal_id, role)
    values (${key.tenantId}, ${key.sessionId}, ${key.principalId}, ${role})
    on conflict (tenant_id, session_id, principal_id) do update set role = excluded.role, created_at = now()`
}

/** Opens a session to the whole tenant again. */
export async function deleteGrants(sql: Queries, key: Omit<GrantKey, 'principalId'>): Promise<void> {
  await sql`delete from session_grants where tenant_id = ${key.tenantId} and session_id = ${key.sessionId}`
}

/** False where there was none. */
export async function deleteGrant(sql: Queries, key: GrantKey): Promise<boolean> {
  const rows = await sql`
    delete from session_grants where tenant_id = ${key.tenantId} and session_id = ${key.sessionId}
      and principal_id = ${key.principalId} returning principal_id`
  return rows.length > 0
}

/** Nobody's: no principal has it. */
const nobody = '00000000-0000-0000-0000-000000000000'

/** Keeps a session closed whose roles are not known any more, until they are given anew or it is opened. */
export async function keepClosed(
  sql: Queries,
  key: { readonly tenantId: number; readonly sessionId: string },
): Promise<void> {
  await sql`
    insert into session_grants (tenant_id, session_id, principal_id, role)
    values (${key.tenantId}, ${key.sessionId}, ${nobody}, 'owner') on conflict do nothing`
}

/** Until the end of the transaction nobody else changes the roles in a session. */
export async function holdAccess(
  sql: Queries,
  { tenantId, sessionId }: { readonly tenantId: number; readonly sessionId: string },
): Promise<void> {
  await sql`select from sessions where tenant_id = ${tenantId} and id = ${sessionId} for no key update`
}

/** Makes whoever compares versions see that the roles in a session have changed: the archive, and who watches it. */
export async function noteAccessChange(
  sql: Queries,
  key: { readonly tenantId: number; readonly sessionId: string },
): Promise<void> {
  await sql`update sessions set version = version + 1 where tenant_id = ${key.tenantId} and id = ${key.sessionId}`
}
