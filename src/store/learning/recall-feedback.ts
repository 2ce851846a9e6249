import type { Sql } from 'postgres'

import { andUsable } from '../access/usable.ts'
import { keepFromErasure } from '../erasure/keep-from-erasure.ts'
import type { Queries } from '../rows.ts'
import { inTransaction } from '../transaction.ts'

/** A result of a search as it was shown, without anything that it says. */
export interface ShownHit {
  readonly sessionId: string
  readonly messageId: string
  readonly seq: number
  /** 1 for the first. */
  readonly rank: number
  /** The logarithm of its score with the usual weights. */
  readonly logScore: number
  /** By how much that changes with the logarithm of each learned weight. */
  readonly effects: Readonly<Record<string, number>>
}

/** What became of a result: `passed` where another of the same search was used. */
type Use = 'passed' | 'opened' | 'cited'

/** Results of one search, of which some were used. */
export interface UsedSearch {
  readonly tenantId: number
  readonly principal: string
  readonly searchId: string
  readonly shownAtMs: number
  readonly hits: readonly ShownHit[]
  /** Ids of messages. */
  readonly used: readonly string[]
  readonly use: Exclude<Use, 'passed'>
}

/**
 * Writes down which results of a search were used; again with more of them, or with a stronger use, it adds to that. Of a message
 * that was erased or restricted nothing is written, nor of one that was anonymised, corrected or renumbered since it was shown.
 */
export async function noteUse(sql: Sql, search: UsedSearch): Promise<void> {
  const { tenantId, searchId, principal, use } = search
  const used = new Set(search.used)
  const rows = search.hits.map(({ sessionId: s, seq: n, rank: r, logScore: l, effects: e, messageId }) => {
    const u: Use = used.has(messageId) ? use : 'passed'
    return { s, n, r, l, e, u, m: messageId }
  })
  await inTransaction(sql, async (transaction) => {
    await keepFromErasure(transaction, tenantId, search.hits)
    const written = await transaction`
      insert into recall_feedback as f (tenant_id, search_id, session_id, seq, principal, rank, use, log_score, effects)
      select ${tenantId}, ${searchId}, hit.s, hit.n, ${principal}, hit.r, hit.u, hit.l, hit.e
      from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as hit(s uuid, n bigint, r int, l real, e jsonb, u text, m uuid)
        join messages on messages.tenant_id = ${tenantId} and messages.session_id = hit.s and messages.seq = hit.n and messages.id = hit.m
      where messages.kind <> 'erased'
        and (messages.anonymized_at is null or messages.anonymized_at < to_timestamp(${search.shownAtMs / 1000}))
        ${andUsable(transaction, tenantId)}
      order by hit.s, hit.n
      on conflict (tenant_id, search_id, session_id, seq) do update set use = excluded.use
        where f.use = 'passed' and excluded.use <> 'passed' or excluded.use = 'cited' and f.use <> 'cited'
      returning 1`
    if (written.length > 0) await feedbackChanged(transaction, tenantId)
  })
}

/** Says that feedback has come or gone: what was learned of it is to be learned anew. At the end of a transaction, as it locks. */
export async function feedbackChanged(sql: Queries, tenantId: number): Promise<void> {
  await sql`
    insert into ranking_weights (tenant_id, changes) values (${tenantId}, 1)
    on conflict (tenant_id) do update set changes = ranking_weights.changes + 1`
}

/** Removes what is known of the use of messages that are not to be used any more: of who is restricted, or corrected since. */
export async function forgetUnusable(sql: Queries, tenantId: number): Promise<void> {
  const gone = await sql`
    delete from recall_feedback f where f.tenant_id = ${tenantId} and not exists (
      select from messages where messages.tenant_id = ${tenantId} and messages.session_id = f.session_id and messages.seq = f.seq
        ${andUsable(sql, tenantId)})`
  if (gone.count > 0) await feedbackChanged(sql, tenantId)
}

/** A row as it is learned from. */
export interface FeedbackRow {
  readonly searchId: string
  readonly principal: string
  /** Its session and number. */
  readonly message: string
  readonly rank: number
  readonly use: string
  readonly logScore: number
  readonly effects: Readonly<Record<string, number>>
  readonly atMs: number
}

/** All that is kept of a tenant, in the order of searches, whose ids begin with their time. */
export async function readFeedback(sql: Queries, tenantId: number): Promise<FeedbackRow[]> {
  const rows = await sql<
    {
      search_id: string
      principal: string
      message: string
      rank: number
      use: string
      log_score: number
      effects: Record<string, number>
      at: number
    }[]
  >`
    select search_id, principal, session_id || ' ' || seq as message, rank, use, log_score, effects,
      (extract(epoch from created_at) * 1000)::float8 as at
    from recall_feedback where tenant_id = ${tenantId} order by search_id, rank, session_id, seq`
  return rows.map(({ search_id: searchId, log_score: logScore, at, ...row }) => ({
    ...row,
    searchId,
    logScore,
    atMs: at,
  }))
}

/**
 * Removes all but so many searches: the newest of each who searches, in turn, so that nobody pushes out those of others by searching more.
 */
export async function trimFeedback(sql: Queries, tenantId: number, searchesMax: number): Promise<void> {
  await sql`
    delete from recall_feedback f using (
      select search_id, row_number() over (order by nth, search_id desc) as place from (
        select search_id, row_number() over (partition by principal order by search_id desc) as nth
        from (select distinct principal, search_id from recall_feedback where tenant_id = ${tenantId}) searches) turns) kept
    where f.tenant_id = ${tenantId} and f.search_id = kept.search_id and kept.place > ${searchesMax}`
}

/** Removes what is older than some days; what was learned from it is learned anew without. */
export async function forgetOld(sql: Queries, tenantId: number, daysMax: number): Promise<void> {
  const gone = await sql`
    delete from recall_feedback where tenant_id = ${tenantId} and created_at < now() - ${daysMax} * interval '1 day'`
  if (gone.count > 0) await feedbackChanged(sql, tenantId)
}

/** Removes all of it; returns of how many searches that was. */
export async function forgetFeedback(sql: Queries, tenantId: number): Promise<number> {
  const [row] = await sql<{ searches: string }[]>`
    with gone as (delete from recall_feedback where tenant_id = ${tenantId} returning search_id)
    select count(distinct search_id) as searches from gone`
  return Number(row?.searches ?? 0)
}
