import type { TransactionSql } from 'postgres'

import { tombstonePrefix } from '../../model/tombstone.ts'
import type { SessionKey } from '../messages.ts'
import type { Queries } from '../rows.ts'
import { messageLevels } from '../search-units.ts'
import { eraseContext } from './erase-context.ts'
import { isOf, type Piece } from './piece.ts'
import type { ErasedCounts } from './receipts.ts'

/** A session whose row is locked, so that nobody who writes of its messages comes in between. */
export interface LockedSession {
  readonly id: string
  readonly source: string
  readonly externalId: string | null
  readonly legalHold: boolean
  readonly lastSeq: number
}

export async function lockSession(sql: TransactionSql, key: SessionKey): Promise<LockedSession | undefined> {
  const [row] = await sql<
    { id: string; source: string; external_id: string | null; legal_hold: boolean; last_seq: string }[]
  >`
    select id, source, external_id, legal_hold, last_seq from sessions
    where tenant_id = ${key.tenantId} and id = ${key.sessionId} for update`
  if (row === undefined) return undefined
  const { id, source, external_id: externalId, legal_hold: legalHold, last_seq: lastSeq } = row
  return { id, source, externalId, legalHold, lastSeq: Number(lastSeq) }
}

/** The same for search units; what stands for several messages goes with the first of them that goes. */
function unitsOf(sql: Queries, key: SessionKey, piece: Piece) {
  return sql`tenant_id = ${key.tenantId} and level in (0, 1, 2, 3) and session_id = ${key.sessionId}
    and ((level in (${messageLevels[0]}, ${messageLevels[1]}) and ${isOf(sql, 'first_seq', piece)})
      or (level in (1, 2) and last_seq >= ${piece.first} and first_seq <= ${piece.last}))`
}

/** Where the large payloads of a piece are. */
export async function payloadLocations(sql: TransactionSql, key: SessionKey, piece: Piece): Promise<string[]> {
  const rows = await sql<{ location: string }[]>`
    select distinct payload_location as location from messages
    where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} and ${isOf(sql, 'seq', piece)}
      and payload_location is not null`
  return rows.map(({ location }) => location)
}

/**
 * Removes search units with what the statistics count of them. Terms are locked in the order in which the index worker locks
 * them, so that neither waits for the other in a ring.
 */
async function eraseUnits(sql: TransactionSql, key: SessionKey, piece: Piece): Promise<number> {
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
    select (select count(*) from gone) as units,
      (select jsonb_agg(jsonb_build_array(level, term::text)) from changed where documents <= 0) as unused`
  // A statement changes a row once: those of which nothing is left go in one of their own.
  if (row !== undefined && row.unused !== null)
    await sql`
      delete from term_stats s using jsonb_array_elements(${JSON.stringify(row.unused)}::text::jsonb) as unused(term)
      where s.tenant_id = ${key.tenantId} and s.level = (unused.term->>0)::smallint and s.term = (unused.term->>1)::bigint`
  return Number(row?.units ?? 0)
}

/** Removes the vectors that are in this database; of those elsewhere it stays known where they are, until they are gone. */
async function eraseVectors(sql: TransactionSql, key: SessionKey, piece: Piece): Promise<number> {
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

/** Removes what was learned from messages alone that go; what has other sources stays. */
async function eraseFacts(sql: TransactionSql, key: SessionKey, piece: Piece): Promise<number> {
  const touched = await sql<{ fact_id: string }[]>`
    delete from fact_sources f using messages m
    where f.tenant_id = ${key.tenantId} and m.tenant_id = f.tenant_id and m.id = f.message_id
      and m.session_id = ${key.sessionId} and ${isOf(sql, 'm.seq', piece)}
    returning f.fact_id`
  if (touched.length === 0) return 0
  const ids = JSON.stringify(touched.map((row) => row.fact_id))
  const gone = await sql`
    delete from facts where tenant_id = ${key.tenantId}
      and id in (select jsonb_array_elements_text(${ids}::text::jsonb)::uuid)
      and not exists (select from fact_sources f where f.tenant_id = facts.tenant_id and f.fact_id = facts.id)`
  return gone.count
}

/**
 * Erases messages with everything in the database that was made from them. With `leaving`, each keeps its row,
 * emptied, so that numbering has no gap and its id is not used again.
 */
export async function erasePiece(
  sql: TransactionSql,
  key: SessionKey,
  { piece, leaving }: { readonly piece: Piece; readonly leaving: { readonly erasureId: string } | undefined },
): Promise<Partial<ErasedCounts>> {
  const counts = {
    search_units: await eraseUnits(sql, key, piece),
    vectors: await eraseVectors(sql, key, piece),
    facts: await eraseFacts(sql, key, piece),
  }
  // Of a correction that goes, what it corrected is what was said again.
  await sql`
    delete from corrections
    where tenant_id = ${key.tenantId} and session_id = ${key.sessionId}
      and (${isOf(sql, 'seq', piece)} or ${isOf(sql, 'correction_seq', piece)})`
  await sql`
    delete from recall_feedback
    where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} and ${isOf(sql, 'seq', piece)}`
  if (leaving === undefined) {
    const [gone] = await sql<{ messages: string; bytes: string }[]>`
      with gone as (
        delete from messages
        where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} and ${isOf(sql, 'seq', piece)}
        returning payload_bytes, kind
      )
      select count(*) filter (where kind <> 'erased') as messages, coalesce(sum(payload_bytes), 0) as bytes from gone`
    return { ...counts, messages: Number(gone?.messages ?? 0), bytes: Number(gone?.bytes ?? 0) }
  }
  await eraseContext(sql, key, piece)
  const [emptied] = await sql<{ messages: string; bytes: string }[]>`
    with chosen as (
      select seq, id, payload_bytes from messages
      where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} and ${isOf(sql, 'seq', piece)} and kind <> 'erased'
    ), emptied as (
      update messages m set kind = 'erased', sender = '', model = null, trust = 'external', input_tokens = null, output_tokens = null,
        cache_read_tokens = null, cache_write_tokens = null, tools_used = null, tool_call_id = null, context_switch = null,
        parent_external_id = null, payload = '', payload_location = null, payload_bytes = 0, payload_sha256 = sha256(''),
        payload_media_type = 'text/plain', text = null, metadata = null, key_version = 0
      from chosen where m.tenant_id = ${key.tenantId} and m.session_id = ${key.sessionId} and m.seq = chosen.seq
    ), remembered as (
      insert into tombstones (tenant_id, hash, kind, erasure_id)
      select ${key.tenantId}, sha256(convert_to(${tombstonePrefix.message} || id::text, 'UTF8')), 'message', ${leaving.erasureId} from chosen
      on conflict do nothing
    )
    select count(*) as messages, coalesce(sum(payload_bytes), 0) as bytes from chosen`
  return { ...counts, messages: Number(emptied?.messages ?? 0), bytes: Number(emptied?.bytes ?? 0) }
}
