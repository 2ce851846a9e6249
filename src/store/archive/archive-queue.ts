import type { Queries } from '../rows.ts'
import type { OutboxItem } from '../work/outbox.ts'

/** The work of archiving sessions, in the outbox. */
export const archiveTopic = 'archive'

/** A session that is left to be archived, and when at the earliest that is done. */
export interface WaitingSession {
  readonly sessionId: string
  readonly waitMs: number
}

/**
 * Leaves sessions to be archived after `delayMs`. What waits already for its time is not added again. Work that is due does
 * not count as waiting: it may be under way, and past the point where it would see what was saved now. Returns for how long each waits still.
 */
export async function queueArchive(
  sql: Queries,
  sessions: readonly { readonly tenantId: number; readonly sessionId: string }[],
  delayMs: number,
): Promise<readonly WaitingSession[]> {
  const rows = JSON.stringify(sessions.map(({ tenantId: t, sessionId: s }) => ({ t, s })))
  return await sql<WaitingSession[]>`
    with work as (
      select distinct t, s from jsonb_to_recordset(${rows}::text::jsonb) as work(t int, s uuid)
    ), waiting as materialized (
      select t, s, (select min(pending.available_at) from outbox pending where pending.tenant_id = t and pending.topic = ${archiveTopic}
        and pending.session_id = s and pending.dead_at is null and pending.available_at > now()) as due from work
    ), added as (
      insert into outbox (tenant_id, topic, session_id, available_at)
      select t, ${archiveTopic}, s, now() + ${delayMs} * interval '1 millisecond' from waiting where ${delayMs} = 0 or due is null
    )
    select s as "sessionId", (extract(epoch from coalesce(due, now() + ${delayMs} * interval '1 millisecond') - clock_timestamp()) * 1000)::float8
      as "waitMs" from waiting`
}

/**
 * Leaves all sessions of a tenant to be archived whose manifest is not of their present version, and that wait for nothing:
 * whatever changed them. Returns how many.
 */
export async function queueUnarchived(sql: Queries, tenantId: number, delayMs: number): Promise<number> {
  const rows = await sql`
    insert into outbox (tenant_id, topic, session_id, available_at)
    select s.tenant_id, ${archiveTopic}, s.id, now() + ${delayMs} * interval '1 millisecond'
    from sessions s
    left join archive_manifests a on a.tenant_id = s.tenant_id and a.kind = 'session' and a.subject_id = s.id
    where s.tenant_id = ${tenantId} and a.version is distinct from s.version and not exists (
      select from outbox pending where pending.tenant_id = s.tenant_id and pending.topic = ${archiveTopic}
        and pending.session_id = s.id)
    returning 1`
  return rows.length
}

/** Puts work off that has nothing to do yet, which is no failure. It ends where the same work waits already. */
export async function deferArchive(sql: Queries, item: OutboxItem, delayMs: number): Promise<void> {
  await sql`
    with waiting as (
      select from outbox where tenant_id = ${item.tenantId} and topic = ${archiveTopic} and session_id = ${item.sessionId}
        and id <> ${item.id} and dead_at is null and available_at > now() limit 1
    ), ended as (
      delete from outbox where id = ${item.id} and exists (select from waiting)
    )
    update outbox set available_at = now() + ${delayMs} * interval '1 millisecond', last_error = null
    where id = ${item.id} and not exists (select from waiting)`
}

/** Sessions whose manifest is not of their present version, or that are left to be archived; a page at a time by id. */
export async function unarchivedSessions(
  sql: Queries,
  tenantId: number,
  page: { readonly after?: string | undefined; readonly limit: number },
): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select s.id from sessions s
    left join archive_manifests a on a.tenant_id = s.tenant_id and a.kind = 'session' and a.subject_id = s.id
    where s.tenant_id = ${tenantId} and (a.version is distinct from s.version or s.id in (
        select session_id from outbox where tenant_id = ${tenantId} and topic = ${archiveTopic}))
      ${page.after === undefined ? sql`` : sql`and s.id > ${page.after}::uuid`}
    order by s.id limit ${page.limit}`
  return rows.map(({ id }) => id)
}

/** How far the archive is. */
export interface ArchiveBacklog {
  /** Sessions whose present state is not archived, and their messages that are in no segment. */
  readonly sessions: number
  readonly messages: number
  readonly dead: number
}

export async function archiveBacklog(sql: Queries, tenantId: number): Promise<ArchiveBacklog> {
  const [row] = await sql<{ sessions: number; messages: string; dead: number }[]>`
    with behind as (
      select s.id, s.last_seq from sessions s
      left join archive_manifests a on a.tenant_id = s.tenant_id and a.kind = 'session' and a.subject_id = s.id
      where s.tenant_id = ${tenantId} and a.version is distinct from s.version
    ), archived as (
      select g.session_id, max(g.last_seq) as seq from behind
      join archive_segments g on g.tenant_id = ${tenantId} and g.session_id = behind.id group by g.session_id
    )
    select count(*)::int as sessions, coalesce(sum(behind.last_seq - coalesce(archived.seq, 0)), 0) as messages,
      (select count(*)::int from outbox where tenant_id = ${tenantId} and topic = ${archiveTopic} and dead_at is not null) as dead
    from behind left join archived on archived.session_id = behind.id`
  return { sessions: row?.sessions ?? 0, messages: Number(row?.messages ?? 0), dead: row?.dead ?? 0 }
}

/** Forgets what failed for good of a session that is archived after all. */
export async function forgetDeadArchive(sql: Queries, tenantId: number, sessionId: string): Promise<void> {
  await sql`
    delete from outbox
    where tenant_id = ${tenantId} and topic = ${archiveTopic} and session_id = ${sessionId} and dead_at is not null`
}
