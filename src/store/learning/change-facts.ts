import type { TransactionSql } from 'postgres'

import { ConflictError } from '../../errors.ts'
import type { Viewer } from '../../model/access.ts'
import { patterns } from '../../model/extractors.ts'
import { andOpen } from '../access/session-access.ts'
import { queueArchive } from '../archive/archive-queue.ts'
import { keepFromErasure } from '../erasure/keep-from-erasure.ts'
import type { Queries } from '../rows.ts'
import { arrayLiteral } from '../search/search-units.ts'
import { lockFacts } from './lock-facts.ts'
import type { SealedFact } from './sealed-facts.ts'

/** The condition on `facts` that they say what the fact `id` says, in sessions that the viewer may write to. */
const sameAs = (sql: Queries, viewer: Viewer, id: string) => sql`
  facts.tenant_id = ${viewer.tenantId} and facts.deleted_at is null and facts.superseded_by is null
  and (facts.kind, facts.statement_term) in (
    select f.kind, f.statement_term from facts f where f.tenant_id = ${viewer.tenantId} and f.id = ${id})
  and facts.session_id in (select id from sessions where tenant_id = ${viewer.tenantId} ${andOpen(sql, viewer, 'write')})`

interface ChangedRow {
  session_id: string
}

const sessionsOf = (rows: readonly ChangedRow[]) => [...new Set(rows.map((row) => row.session_id))]

/**
 * Keeps what a fact says from erasure until the transaction ends, wherever it was told, and whoever stores facts away: the same words are stored
 * of other sessions before that, or see what became of them. To be called before anything is written.
 */
export async function holdFact(sql: TransactionSql, viewer: Viewer, id: string): Promise<void> {
  await lockFacts(sql, viewer.tenantId, 'exclusive')
  const rows = await sql<ChangedRow[]>`select facts.session_id from facts where ${sameAs(sql, viewer, id)}`
  await keepFromErasure(
    sql,
    viewer.tenantId,
    rows.map((row) => ({ sessionId: row.session_id })),
  )
}

/** Pins what a fact says wherever it was told, or unpins it. Returns the sessions that it was told in. */
export async function pinFact(sql: Queries, viewer: Viewer, change: { readonly id: string; readonly pinned: boolean }) {
  const rows = await sql<ChangedRow[]>`
    update facts set pinned = ${change.pinned}, changed_at = now() where ${sameAs(sql, viewer, change.id)} returning session_id`
  return sessionsOf(rows)
}

/** Hides what a fact says wherever it was told: the same words do not bring it back. */
export async function deleteFact(sql: Queries, viewer: Viewer, id: string) {
  const rows = await sql<ChangedRow[]>`
    update facts set deleted_at = now(), pinned = false, changed_at = now() where ${sameAs(sql, viewer, id)} returning session_id`
  return sessionsOf(rows)
}

/** Ends the validity of what a fact says. */
export async function endFact(sql: Queries, viewer: Viewer, change: { readonly id: string; readonly until: string }) {
  const rows = await sql<ChangedRow[]>`
    update facts set valid_to = ${change.until}::text::timestamptz, changed_at = now() where ${sameAs(sql, viewer, change.id)}
    returning session_id`
  return sessionsOf(rows)
}

/**
 * Puts what somebody wrote by hand in the place of a fact, with the sources of the fact and since when that holds. The words that
 * it replaces do not come back. Empty where the session of the fact is under another key by now, or may not be written to.
 */
export async function correctFact(
  sql: TransactionSql,
  viewer: Viewer,
  { id, fact, keyVersion }: { readonly id: string; readonly fact: SealedFact; readonly keyVersion: number },
): Promise<string[]> {
  const { tenantId } = viewer
  const { statement, subject, words } = fact.terms
  const written = await sql`
    insert into facts (tenant_id, id, session_id, kind, body, statement_term, subject_term, terms, confidence, valid_from, pinned, made_by,
      changed_at, key_version)
    select ${tenantId}, ${fact.id}, facts.session_id, facts.kind, ${fact.body}, ${String(statement)}::text::bigint,
      ${subject === undefined ? null : String(subject)}::text::bigint, ${arrayLiteral(words)}::text::bigint[], ${fact.confidence}::float8,
      facts.valid_from, facts.pinned, ${fact.madeBy}, now(), ${keyVersion}::int
    from facts join sessions s on s.tenant_id = ${tenantId} and s.id = facts.session_id and s.key_version = ${keyVersion}::int
    where facts.id = ${id} and ${sameAs(sql, viewer, id)}
    returning session_id`
  if (written.length === 0) return []
  await sql`
    insert into fact_sources (tenant_id, fact_id, session_id, message_id, seq, span_start, span_end)
    select tenant_id, ${fact.id}, session_id, message_id, seq, span_start, span_end from fact_sources
    where tenant_id = ${tenantId} and fact_id = ${id}`
  const rows = await sql<ChangedRow[]>`
    update facts set superseded_by = ${fact.id}, pinned = false, changed_at = now()
    where ${sameAs(sql, viewer, id)} and facts.id <> ${fact.id} returning session_id`
  // What was written has to be taken back.
  if (rows.length === 0)
    throw new ConflictError(`Nothing was changed as the fact "${id}" was changed meanwhile`, {
      remedy: 'Look at it again',
    })
  return sessionsOf(rows)
}

/**
 * Forgets all that was learned of a tenant, and what was changed of it by hand. Returns how many rows, and the sessions of those that
 * are archived.
 */
export async function forgetFacts(
  sql: Queries,
  tenantId: number,
): Promise<{ readonly forgotten: number; readonly archived: readonly string[] }> {
  await sql`delete from fact_sources where tenant_id = ${tenantId}`
  const [row] = await sql<{ forgotten: number; archived: readonly string[] | null }[]>`
    with gone as (delete from facts where tenant_id = ${tenantId} returning session_id, made_by, changed_at)
    select count(*)::int as forgotten,
      jsonb_agg(distinct session_id) filter (where split_part(made_by, '/', 1) <> ${patterns} or changed_at is not null) as archived
    from gone`
  return { forgotten: row?.forgotten ?? 0, archived: row?.archived ?? [] }
}

/** Lets facts hold again in the place of which something was put that is not there. */
export async function releaseSuperseded(sql: Queries, tenantId: number): Promise<void> {
  await sql`
    update facts f set superseded_by = null
    where tenant_id = ${tenantId} and superseded_by is not null
      and not exists (select from facts g where g.tenant_id = f.tenant_id and g.id = f.superseded_by)`
}

/** Leaves sessions to be archived anew, as what was learned of them is not as it was archived. */
export async function archiveFactChange(sql: Queries, tenantId: number, sessionIds: readonly string[]): Promise<void> {
  await sql`
    update sessions set version = version + 1
    where tenant_id = ${tenantId} and id in (select jsonb_array_elements_text(${JSON.stringify(sessionIds)}::text::jsonb)::uuid)`
  await queueArchive(
    sql,
    sessionIds.map((sessionId) => ({ tenantId, sessionId })),
    0,
  )
}
