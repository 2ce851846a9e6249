import type { PendingQuery, Row } from 'postgres'

import type { Queries } from '../rows.ts'
import { text, type SqlText } from '../sql-text.ts'

/*
 * What is stored and not used: what is restricted (a session by its own flag, a participant by a row in
 * `restricted_participants`), and messages that were corrected (a row in `corrections`), in whose place the correction is. All
 * statements that look for messages to use have their conditions from here, so that it holds from its commit on, in every
 * process, whatever that process has kept.
 */

const noneOf = (tenantId: number) =>
  text`not exists (select from restricted_participants r where r.tenant_id = ${tenantId})`

/**
 * The condition that a search unit `u` is of nobody who is restricted and of nothing that was corrected; its session is looked at
 * elsewhere. Where there is neither, which is asked once a statement, nothing is looked up for a unit.
 */
export function usableUnit(tenantId: number): SqlText {
  return text`(not exists (select from corrections c where c.tenant_id = ${tenantId}) or not exists (
    select from corrections c
    where c.tenant_id = ${tenantId} and c.session_id = u.session_id and c.seq between u.first_seq and u.last_seq))
    and (${noneOf(tenantId)} or not exists (
    select from messages rm join restricted_participants r on r.tenant_id = rm.tenant_id and r.name = rm.sender
    where rm.tenant_id = ${tenantId} and rm.session_id = u.session_id and rm.seq between u.first_seq and u.last_seq))`
}

/** The names of those who are restricted, for a statement of postgres.js: `sender in (…)`. */
export function restrictedNames(sql: Queries, tenantId: number): PendingQuery<Row[]> {
  return sql`select r.name from restricted_participants r where r.tenant_id = ${tenantId}`
}

/** The condition on `messages` that they may be used: neither their sender nor their session is restricted, and they were not corrected. */
export function andUsable(sql: Queries, tenantId: number): PendingQuery<Row[]> {
  return sql`and messages.sender not in (${restrictedNames(sql, tenantId)})
    and messages.session_id not in (select s.id from sessions s where s.tenant_id = ${tenantId} and s.restricted)
    and not exists (select from corrections c
      where c.tenant_id = ${tenantId} and c.session_id = messages.session_id and c.seq = messages.seq)`
}

/** The condition on `summaries` that they are of nothing which is restricted, or was corrected since. */
export function andUsableSummary(sql: Queries, tenantId: number): PendingQuery<Row[]> {
  return sql`and not exists (select from sessions s where s.tenant_id = ${tenantId} and s.id = summaries.session_id and s.restricted)
    and (not exists (${restrictedNames(sql, tenantId)}) or not exists (
      select from messages m where m.tenant_id = ${tenantId} and m.session_id = summaries.session_id
        and m.seq between coalesce(summaries.first_seq, 1) and coalesce(summaries.last_seq, 9007199254740991)
        and m.sender in (${restrictedNames(sql, tenantId)})))
    and not exists (select from corrections c
      where c.tenant_id = ${tenantId} and c.session_id = summaries.session_id and c.corrected_at >= summaries.created_at
        and c.seq between coalesce(summaries.first_seq, 1) and coalesce(summaries.last_seq, 9007199254740991))`
}

/**
 * The condition on `facts` that they come from nothing which is restricted or was corrected. Where there is neither, which is asked once a
 * statement, nothing is looked up for a fact.
 */
export function andUsableFact(sql: Queries, tenantId: number): PendingQuery<Row[]> {
  return sql`and (not (exists (${restrictedNames(sql, tenantId)})
      or exists (select from sessions s where s.tenant_id = ${tenantId} and s.restricted)
      or exists (select from corrections c where c.tenant_id = ${tenantId}))
    or not exists (
      select from fact_sources f join messages m on m.tenant_id = ${tenantId} and m.id = f.message_id
      where f.tenant_id = ${tenantId} and f.fact_id = facts.id and (m.sender in (${restrictedNames(sql, tenantId)})
        or m.session_id in (select s.id from sessions s where s.tenant_id = ${tenantId} and s.restricted)
        or exists (select from corrections c where c.tenant_id = ${tenantId} and c.session_id = m.session_id and c.seq = m.seq))))`
}

/** Whether much of what a vector index finds may fall away as somebody is restricted. */
export async function hasRestrictedParticipants(sql: Queries, tenantId: number): Promise<boolean> {
  const rows = await sql`select from restricted_participants where tenant_id = ${tenantId} limit 1`
  return rows.length > 0
}
