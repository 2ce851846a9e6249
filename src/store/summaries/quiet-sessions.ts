import { earlierExtracts } from '../../model/extractors.ts'
import { summaryStyles, type SummaryStyle } from '../../model/summary-style.ts'
import { andUsableSummary } from '../access/usable.ts'
import { archiveTopic } from '../archive/archive-queue.ts'
import type { SessionKey } from '../messages.ts'
import type { Queries } from '../rows.ts'

export interface QuietSessions {
  readonly tenantId: number
  /** Nothing was saved to it for so long. */
  readonly quietMs: number
  /** What is older is history: it is summarised when somebody asks. */
  readonly activeMs: number
  readonly messagesMin: number
  /** Whether an extracted summary will do. */
  readonly isExtractedEnough: boolean
  readonly limit: number
}

/** A session of which no summary has the newest message. */
export interface UnsummarizedSession {
  readonly id: string
  readonly lastSeq: number
}

/** Sessions that were active of late and are quiet now, and whose summary is missing or outdated; the newest first. */
export async function quietSessions(sql: Queries, wanted: QuietSessions): Promise<UnsummarizedSession[]> {
  const { tenantId, quietMs, activeMs } = wanted
  const rows = await sql<{ id: string; last_seq: string }[]>`
    select s.id, s.last_seq from sessions s
    where s.tenant_id = ${tenantId} and not s.restricted and s.message_count >= ${wanted.messagesMin}
      and s.active_hour >= date_trunc('hour', now() - ${activeMs}::float8 * interval '1 millisecond')
      and s.last_active_at > now() - ${activeMs}::float8 * interval '1 millisecond'
      and (select m.saved_at from messages m where m.tenant_id = s.tenant_id and m.session_id = s.id and m.seq = s.last_seq)
        < now() - ${quietMs}::float8 * interval '1 millisecond'
      and not exists (
        select from summaries u where u.tenant_id = s.tenant_id and u.session_id = s.id and u.level = 'session' and u.last_seq = s.last_seq
          and (u.made_by <> 'extractive' or ${wanted.isExtractedEnough}))
    order by s.active_hour desc, s.last_active_at desc limit ${wanted.limit}`
  return rows.map(({ id, last_seq: lastSeq }) => ({ id, lastSeq: Number(lastSeq) }))
}

/** A summary of a session that an earlier version extracted. */
export interface OutdatedExtract extends UnsummarizedSession {
  readonly style: SummaryStyle
}

/** The condition on `summaries` that they are of whole sessions, and that an earlier version chose their sentences. */
const areOutdated = (sql: Queries) => sql`
  summaries.level = 'session' and summaries.made_by = 'extractive' and (summaries.model is null
    or summaries.model in (select jsonb_array_elements_text(${JSON.stringify(earlierExtracts)}::text::jsonb)))`

/**
 * Summaries of sessions that are quiet whose sentences an earlier version chose; of the sessions that were active last first. None where a
 * model or a client wrote one: what is made anew is of all messages, and would be shown in its place where these are many more.
 */
export async function outdatedExtracts(
  sql: Queries,
  { tenantId, quietMs, limit }: Pick<QuietSessions, 'tenantId' | 'quietMs' | 'limit'>,
): Promise<OutdatedExtract[]> {
  const rows = await sql<{ id: string; last_seq: string; style: SummaryStyle }[]>`
    select distinct s.id, s.last_seq, s.last_active_at, summaries.style
    from summaries join sessions s on s.tenant_id = ${tenantId} and s.id = summaries.session_id
    where summaries.tenant_id = ${tenantId} and ${areOutdated(sql)} ${andUsableSummary(sql, tenantId)}
      and summaries.style in (select jsonb_array_elements_text(${JSON.stringify(summaryStyles)}::text::jsonb))
      and not exists (
        select from summaries written where written.tenant_id = ${tenantId} and written.session_id = s.id and written.level = 'session'
          and written.made_by <> 'extractive')
      and (select m.saved_at from messages m where m.tenant_id = ${tenantId} and m.session_id = s.id and m.seq = s.last_seq)
        < now() - ${quietMs}::float8 * interval '1 millisecond'
    order by s.last_active_at desc, s.id, summaries.style limit ${limit}`
  return rows.map(({ id, last_seq: lastSeq, style }) => ({ id, lastSeq: Number(lastSeq), style }))
}

/** Removes the summaries of a session in a style whose sentences an earlier version chose, and leaves the session to be archived without them. */
export async function dropOutdatedExtracts(
  sql: Queries,
  { tenantId, sessionId }: SessionKey,
  style: SummaryStyle,
): Promise<void> {
  await sql`
    with gone as (
      delete from summaries where tenant_id = ${tenantId} and session_id = ${sessionId} and style = ${style} and ${areOutdated(sql)}
      returning session_id)
    insert into outbox (tenant_id, topic, session_id) select distinct ${tenantId}::int, ${archiveTopic}, session_id from gone`
}

/** Does work for a tenant that one process at a time does. False where another is at it. */
export async function holdSummaries(sql: Queries, tenantId: number): Promise<boolean> {
  const [row] = await sql<{ taken: boolean }[]>`
    select pg_try_advisory_xact_lock(hashtext('rolling_summaries'), ${tenantId}) as taken`
  return row?.taken === true
}
