import type { Sql, TransactionSql } from 'postgres'

import type { MessageFlags } from '../../model/messages/message-flags.ts'
import type { Role, Trust } from '../../model/messages/message.ts'
import { keepFromErasure } from '../erasure/keep-from-erasure.ts'
import type { Queries } from '../rows.ts'

export const messageLevel = 0
/** Messages again, while their words are hashed under another key, and after that until it is done once more. */
const otherMessageLevel = 3
export const messageLevels = [messageLevel, otherMessageLevel] as const
/** What stands for messages without words (`message-digests.ts`), beside either of the two. */
export const recordLevels = [4, 5] as const

/** The level at which a version of the index of words has its units. */
export function levelOfTerms(version: number): number {
  return version % 2 === 0 ? messageLevel : otherMessageLevel
}

/** Which message something was made of, as it was when it was read. */
export interface MadeOf {
  readonly id: string
  readonly anonymizedAt: string | null
}

/** One searchable thing: a message or a part of it. */
export interface SearchUnit {
  readonly sessionId: string
  readonly firstSeq: number
  readonly lastSeq: number
  readonly part: number
  /** Distinct, in ascending order: a term is found by binary search. `frequencies[i]` belongs to `terms[i]`. */
  readonly terms: readonly bigint[]
  readonly frequencies: readonly number[]
  readonly termCount: number
  readonly timestamp: string
  readonly role: Role
  readonly trust: Trust
  readonly kind: string
  /** Bits of `indexing/traits.ts`. */
  readonly traits: number
  readonly sentiment: number | null
  readonly flags: MessageFlags
  readonly of: MadeOf
  /** Of its message's record; with the first part of it. */
  readonly digest?: Uint8Array
}

/** Numbers as PostgreSQL writes an array of them: term hashes do not fit a JavaScript number. */
export function arrayLiteral(values: readonly (bigint | number)[]): string {
  return `{${values.join(',')}}`
}

/**
 * Stores units of one tenant and level, with the statistics that BM25 needs. Writing a unit that is there already has
 * no effect, on the statistics neither, so that a retried batch counts once. Of a message that was erased or anonymised since it
 * was read, or in whose place another one is by now, nothing is stored.
 */
export async function writeUnits(
  sql: TransactionSql,
  scope: { readonly tenantId: number; readonly level: number },
  units: readonly SearchUnit[],
): Promise<void> {
  if (units.length === 0) return
  await keepFromErasure(sql, scope.tenantId, units)
  const rows = units.map((unit) => ({
    s: unit.sessionId,
    f: unit.firstSeq,
    l: unit.lastSeq,
    p: unit.part,
    t: arrayLiteral(unit.terms),
    q: arrayLiteral(unit.frequencies),
    n: unit.termCount,
    at: unit.timestamp,
    r: unit.role,
    u: unit.trust,
    k: unit.kind,
    b: unit.traits,
    e: unit.sentiment,
    g: unit.flags,
    i: unit.of.id,
    z: unit.of.anonymizedAt,
    d: unit.digest === undefined ? undefined : Buffer.from(unit.digest).toString('base64'),
  }))
  await sql`
    with written as (
      insert into search_units (tenant_id, level, session_id, first_seq, last_seq, part, terms, frequencies, term_count,
        timestamp, role, trust, kind, traits, sentiment, flags, record_digest)
      select ${scope.tenantId}, ${scope.level}, s, f, l, p, t::bigint[], q::smallint[], n, at, r, u, k, b, e, g, decode(d, 'base64')
      from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb)
        as unit(s uuid, f bigint, l bigint, p int, t text, q text, n int, at timestamptz, r text, u text, k text, b int, e real, g jsonb, i uuid, z timestamptz, d text)
      where exists (select from messages m where m.tenant_id = ${scope.tenantId} and m.session_id = s and m.seq = f and m.kind <> 'erased'
        and m.id = i and m.anonymized_at is not distinct from z)
      on conflict do nothing
      returning terms, term_count, part
    ), counted as (
      insert into corpus_stats (tenant_id, level, units, wholes, terms)
      select ${scope.tenantId}, ${scope.level}, count(*), count(*) filter (where part = 0), sum(term_count) from written having count(*) > 0
      on conflict (tenant_id, level) do update set units = corpus_stats.units + excluded.units,
        wholes = corpus_stats.wholes + excluded.wholes, terms = corpus_stats.terms + excluded.terms
    )
    insert into term_stats (tenant_id, level, term, documents)
    select ${scope.tenantId}, ${scope.level}, term, count(*) from written, unnest(terms) as term group by term order by term
    on conflict (tenant_id, level, term) do update set documents = term_stats.documents + excluded.documents`
}

/** How common each term is, and how large the collection: what BM25's weights are made of. */
export interface CorpusStatistics {
  readonly units: number
  /** Units that are the first part of theirs: on the message level the messages that can be found. */
  readonly wholes: number
  readonly averageLength: number
  /** Units that hold the term; a term that nothing holds is absent. */
  readonly documents: ReadonlyMap<bigint, number>
  /** The version of the index that searches are to look at: where it is another, none of these is of use. */
  readonly termsVersion: number
}

/** Term by term from the index: a plan that was made while the table was small would read all of it for ever. */
export async function corpusStatistics(
  sql: Sql,
  scope: { readonly tenantId: number; readonly level: number },
  terms: readonly bigint[],
): Promise<CorpusStatistics> {
  const rows = await sql<
    { version: number | null; term: string | null; documents: string; units: string; wholes: string; terms: string }[]
  >`
    select null::int as version, null::bigint as term, 0 as documents, units, wholes, terms from corpus_stats
    where tenant_id = ${scope.tenantId} and level = ${scope.level}
    union all
    select null, wanted.term, found.documents, 0, 0, 0 from unnest(${arrayLiteral(terms)}::text::bigint[]) as wanted (term), lateral (
      select documents from term_stats where tenant_id = ${scope.tenantId} and level = ${scope.level} and term = wanted.term offset 0
    ) found
    union all
    select terms_version, null, 0, 0, 0, 0 from encryption_states where tenant_id = ${scope.tenantId}`
  const totals = rows.find((row) => row.term === null && row.version === null)
  const units = Number(totals?.units ?? 0)
  const documents = new Map<bigint, number>()
  for (const row of rows) if (row.term !== null) documents.set(BigInt(row.term), Number(row.documents))
  return {
    units,
    wholes: Number(totals?.wholes ?? 0),
    averageLength: units === 0 ? 0 : Number(totals?.terms ?? 0) / units,
    documents,
    termsVersion: rows.find((row) => row.version !== null)?.version ?? 0,
  }
}

/** Whether any unit of a tenant has a term, by the index: the statistics lag behind it. */
export async function hasUnitsWith(
  sql: Queries,
  { tenantId, level, term }: { readonly tenantId: number; readonly level: number; readonly term: bigint },
): Promise<boolean> {
  // To count them the planner takes the index; for the first of them it would read the table.
  const [row] = await sql<{ units: number }[]>`
    select count(*)::int as units from search_units
    where tenant_id = ${tenantId} and level = ${level} and terms @> ${arrayLiteral([term])}::text::bigint[]`
  return row !== undefined && row.units > 0
}

/** How positive the messages of a stretch of a session are; those without a value are absent. */
export async function readSentiments(
  sql: Sql,
  key: { readonly tenantId: number; readonly sessionId: string },
  range: { readonly fromSeq: number; readonly toSeq: number },
): Promise<Map<number, number>> {
  const rows = await sql<{ first_seq: string; sentiment: number }[]>`
    select first_seq, sentiment from search_units
    where tenant_id = ${key.tenantId} and level in (${messageLevels[0]}, ${messageLevels[1]}) and session_id = ${key.sessionId}
      and first_seq between ${range.fromSeq} and ${range.toSeq} and part = 0 and sentiment is not null`
  return new Map(rows.map((row) => [Number(row.first_seq), row.sentiment]))
}

/**
 * Tells the planner how large the tables have become. Without it the planner reads the whole index table for a rare
 * word, and all messages of a session to find one of them.
 */
export async function analyzeTables(sql: Queries): Promise<void> {
  await sql`analyze search_units, messages, sessions`
}

/**
 * Sorts the newest entries into the index on terms: until then every search reads all of them. PostgreSQL does it by itself
 * only where the list is full, and in a VACUUM.
 */
export async function sortPendingEntries(sql: Queries): Promise<void> {
  await sql`
    select gin_clean_pending_list(x.indexrelid)
    from pg_inherits i join pg_index x on x.indrelid = i.inhrelid
      join pg_class c on c.oid = x.indexrelid join pg_am a on a.oid = c.relam
    where i.inhparent = 'search_units'::regclass and a.amname = 'gin'`
}

/** Removes the whole index of a tenant's words, with its statistics. */
export async function deleteUnits(sql: Queries, tenantId: number): Promise<void> {
  await sql`delete from search_units where tenant_id = ${tenantId}`
  await sql`delete from term_stats where tenant_id = ${tenantId}`
  await sql`delete from corpus_stats where tenant_id = ${tenantId}`
}
