import type { TransactionSql } from 'postgres'

import { feedbackChanged } from '../learning/recall-feedback.ts'
import type { SessionKey } from '../messages.ts'
import type { Queries } from '../rows.ts'
import { messageLevels, recordLevels } from '../search/search-units.ts'
import { isOf, type Piece } from './piece.ts'
import type { ErasedCounts } from './receipts.ts'

/** Removes everything in the database that was made from messages, and says how much of it there was. */
export async function eraseDerived(sql: TransactionSql, key: SessionKey, piece: Piece): Promise<Partial<ErasedCounts>> {
  const counts = {
    search_units: await eraseUnits(sql, key, piece),
    vectors: await eraseVectors(sql, key, piece),
    facts: await eraseFacts(sql, key, piece),
    summaries: await eraseSummaries(sql, key, piece),
  }
  const feedback = await sql`
    delete from recall_feedback
    where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} and ${isOf(sql, 'seq', piece)}`
  if (feedback.count > 0) await feedbackChanged(sql, key.tenantId)
  return counts
}

/** The condition that a search unit is of a piece; what stands for several messages goes with the first of them that goes. */
function unitsOf(sql: Queries, key: SessionKey, piece: Piece) {
  const [plain, other] = messageLevels
  return sql`tenant_id = ${key.tenantId} and level in (0, 1, 2, 3, 4, 5) and session_id = ${key.sessionId}
    and ((level in (${plain}, ${other}, ${recordLevels[0]}, ${recordLevels[1]}) and ${isOf(sql, 'first_seq', piece)})
      or (level in (1, 2) and last_seq >= ${piece.first} and first_seq <= ${piece.last}))`
}

/**
 * Removes search units with what the statistics count of them. Terms are locked in the order in which the index worker locks
 * them, so that neither waits for the other in a ring.
 */
export async function eraseUnits(sql: TransactionSql, key: SessionKey, piece: Piece): Promise<number> {
  await sql`
    select from term_stats
    where tenant_id = ${key.tenantId} and (level, term) in (
      select level, unnest(terms) from search_units
      where ${unitsOf(sql, key, piece)})
    order by level, term for update`
  const [row] = await sql<{ units: string; unused: readonly (readonly [number, string])[] | null }[]>`
    with gone as (
      delete from search_units
      where ${unitsOf(sql, key, piece)}
      returning level, part, terms, term_count
    ), totals as (
      select level, count(*) as units, count(*) filter (where part = 0) as wholes, sum(term_count) as terms from gone group by level
    ), counted as (
      update corpus_stats c set units = c.units - t.units, wholes = c.wholes - t.wholes, terms = c.terms - t.terms
      from totals t where c.tenant_id = ${key.tenantId} and c.level = t.level
    ), documents as (
      select level, term, count(*) as documents from gone, unnest(terms) as term group by level, term
    ), changed as (
      update term_stats s set documents = s.documents - d.documents
      from documents d where s.tenant_id = ${key.tenantId} and s.level = d.level and s.term = d.term
      returning s.level, s.term, s.documents
    )
    select (select count(*) from gone where level not in (${recordLevels[0]}, ${recordLevels[1]})) as units,
      (select jsonb_agg(jsonb_build_array(level, term::text)) from changed where documents <= 0) as unused`
  // A statement changes a row once: those of which nothing is left go in one of their own.
  if (row !== undefined && row.unused !== null)
    await sql`
      delete from term_stats s using jsonb_array_elements(${JSON.stringify(row.unused)}::text::jsonb) as unused(term)
      where s.tenant_id = ${key.tenantId} and s.level = (unused.term->>0)::smallint and s.term = (unused.term->>1)::bigint`
  return Number(row?.units ?? 0)
}

/** Removes the vectors that are in this database; of those elsewhere it stays known where they are, until they are gone. */
export async function eraseVectors(sql: TransactionSql, key: SessionKey, piece: Piece): Promise<number> {
  const [table] = await sql`select where to_regclass('unit_vectors') is not null`
  if (table !== undefined)
    await sql`
      delete from unit_vectors
      where tenant_id = ${key.tenantId} and model_id in (select id from embedding_models where tenant_id = ${key.tenantId})
        and level in (0, 1, 2) and session_id = ${key.sessionId} and ${isOf(sql, 'first_seq', piece)}`
  const rows = await sql`
    delete from embedded_units
    where tenant_id = ${key.tenantId} and level in (0, 1, 2) and session_id = ${key.sessionId}
      and ${isOf(sql, 'first_seq', piece)}
      and model_id in (select id from embedding_models where tenant_id = ${key.tenantId} and vector_index = 'pgvector')`
  return rows.count
}

/** Removes what was learned from messages that go, in part or whole; what was told elsewhere too has rows of its own there. */
async function eraseFacts(sql: TransactionSql, key: SessionKey, piece: Piece): Promise<number> {
  const touched = await sql<{ fact_id: string }[]>`
    delete from fact_sources f using messages m
    where f.tenant_id = ${key.tenantId} and m.tenant_id = f.tenant_id and m.id = f.message_id
      and m.session_id = ${key.sessionId} and ${isOf(sql, 'm.seq', piece)}
    returning f.fact_id`
  if (touched.length === 0) return 0
  const ids = JSON.stringify(touched.map((row) => row.fact_id))
  // Where one was put in the place of what was told in other sessions too, that holds again.
  await sql`
    update facts set superseded_by = null
    where tenant_id = ${key.tenantId} and superseded_by in (select jsonb_array_elements_text(${ids}::text::jsonb)::uuid)`
  await sql`
    delete from fact_sources where tenant_id = ${key.tenantId} and fact_id in (select jsonb_array_elements_text(${ids}::text::jsonb)::uuid)`
  const gone = await sql`
    delete from facts where tenant_id = ${key.tenantId} and id in (select jsonb_array_elements_text(${ids}::text::jsonb)::uuid)`
  return gone.count
}

/**
 * Removes summaries of a stretch with a message of the piece, of the session as a whole too: they quote what is gone, and the rest of the
 * work may take its time.
 */
async function eraseSummaries(sql: TransactionSql, key: SessionKey, piece: Piece): Promise<number> {
  const gone = await sql`
    delete from summaries u where u.tenant_id = ${key.tenantId} and u.session_id = ${key.sessionId} and exists (
      select from messages m where m.tenant_id = ${key.tenantId} and m.session_id = ${key.sessionId}
        and m.seq between coalesce(u.first_seq, 1) and coalesce(u.last_seq, 9007199254740991) and ${isOf(sql, 'm.seq', piece)})`
  return gone.count
}
