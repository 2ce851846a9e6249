import type { Sql } from 'postgres'

import type { Role, Trust } from '../model/message.ts'
import type { Queries } from './rows.ts'

export const messageLevel = 0

/** One searchable thing: a message or a part of it (level 0). */
export interface SearchUnit {
  readonly sessionId: string
  readonly firstSeq: number
  readonly lastSeq: number
  readonly part: number
  readonly terms: readonly bigint[]
  readonly frequencies: readonly number[]
  readonly termCount: number
  readonly timestamp: string
  readonly role: Role
  readonly trust: Trust
  readonly kind: string
  readonly sentiment: number | null
}

function arrayLiteral(values: readonly (bigint | number)[]): string {
  return `{${values.join(',')}}`
}

/**
 * Stores units of one tenant and level, with the statistics that BM25 needs. Writing a unit that is there already has
 * no effect, on the statistics neither, so that a retried batch counts once.
 */
export async function writeUnits(
  sql: Queries,
  scope: { readonly tenantId: number; readonly level: number },
  units: readonly SearchUnit[],
): Promise<void> {
  if (units.length === 0) return
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
    e: unit.sentiment,
  }))
  await sql`
    with written as (
      insert into search_units (tenant_id, level, session_id, first_seq, last_seq, part, terms, frequencies, term_count,
        timestamp, role, trust, kind, sentiment)
      select ${scope.tenantId}, ${scope.level}, s, f, l, p, t::bigint[], q::smallint[], n, at, r, u, k, e
      from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb)
        as unit(s uuid, f bigint, l bigint, p int, t text, q text, n int, at timestamptz, r text, u text, k text, e real)
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
}

export async function corpusStatistics(
  sql: Sql,
  scope: { readonly tenantId: number; readonly level: number },
  terms: readonly bigint[],
): Promise<CorpusStatistics> {
  const rows = await sql<{ term: string | null; documents: string; units: string; wholes: string; terms: string }[]>`
    select null as term, 0 as documents, units, wholes, terms from corpus_stats where tenant_id = ${scope.tenantId} and level = ${scope.level}
    union all
    select term, documents, 0, 0, 0 from term_stats
    where tenant_id = ${scope.tenantId} and level = ${scope.level} and term = any(${arrayLiteral(terms)}::text::bigint[])`
  const totals = rows.find((row) => row.term === null)
  const units = Number(totals?.units ?? 0)
  const documents = new Map<bigint, number>()
  for (const row of rows) if (row.term !== null) documents.set(BigInt(row.term), Number(row.documents))
  return {
    units,
    wholes: Number(totals?.wholes ?? 0),
    averageLength: units === 0 ? 0 : Number(totals?.terms ?? 0) / units,
    documents,
  }
}

/** Which units a search may see. Absent members do not restrict. */
export interface UnitFilter {
  readonly sessionId?: string | undefined
  readonly notSessionId?: string | undefined
  readonly participants?: readonly string[] | undefined
  readonly models?: readonly string[] | undefined
  readonly roles?: readonly string[] | undefined
  readonly toolsUsed?: readonly string[] | undefined
  readonly tags?: readonly string[] | undefined
  readonly since?: string | undefined
  readonly until?: string | undefined
}

export interface ScoredUnit {
  readonly sessionId: string
  readonly firstSeq: number
  readonly part: number
  readonly score: number
}

/** One BM25 term: its hash, its weight (idf times the query's own weight for it), and the word it is a form of. */
export interface WeightedTerm {
  readonly term: bigint
  readonly weight: number
  readonly group: number
}

export interface UnitQuery {
  readonly tenantId: number
  readonly level: number
  /** The terms that choose candidates: a unit must hold at least one of them. */
  readonly essential: readonly bigint[]
  /** All terms that score. */
  readonly terms: readonly WeightedTerm[]
  /** A unit must hold at least one term of each of these groups. */
  readonly required: readonly (readonly bigint[])[]
  readonly averageLength: number
  readonly filter: UnitFilter
  readonly candidatesMax: number
  readonly limit: number
}

const jsonTexts = (sql: Sql, values: readonly string[]) =>
  sql`(select jsonb_array_elements_text(${JSON.stringify(values)}::text::jsonb))`

/** The conditions that the unit row cannot answer by itself go to the message and the session. */
function filterConditions(sql: Sql, filter: UnitFilter) {
  const messageFilters = sql`
    ${filter.participants === undefined ? sql`` : sql`and m.sender in ${jsonTexts(sql, filter.participants)}`}
    ${filter.models === undefined ? sql`` : sql`and m.model in ${jsonTexts(sql, filter.models)}`}
    ${filter.toolsUsed === undefined ? sql`` : sql`and m.tools_used && array${jsonTexts(sql, filter.toolsUsed)}`}`
  const needsMessage =
    filter.participants !== undefined || filter.models !== undefined || filter.toolsUsed !== undefined
  return sql`
    ${filter.sessionId === undefined ? sql`` : sql`and u.session_id = ${filter.sessionId}`}
    ${filter.notSessionId === undefined ? sql`` : sql`and u.session_id <> ${filter.notSessionId}`}
    ${filter.roles === undefined ? sql`` : sql`and u.role in ${jsonTexts(sql, filter.roles)}`}
    ${filter.since === undefined ? sql`` : sql`and u.timestamp >= ${filter.since}::timestamptz`}
    ${filter.until === undefined ? sql`` : sql`and u.timestamp <= ${filter.until}::timestamptz`}
    ${
      needsMessage
        ? sql`and exists (select from messages m where m.tenant_id = u.tenant_id and m.session_id = u.session_id
      and m.seq = u.first_seq ${messageFilters})`
        : sql``
    }
    and not exists (select from sessions s where s.tenant_id = u.tenant_id and s.id = u.session_id and s.restricted)
    ${
      filter.tags === undefined
        ? sql``
        : sql`and exists (select from sessions s where s.tenant_id = u.tenant_id and s.id = u.session_id
      and s.tags @> array${jsonTexts(sql, filter.tags)})`
    }`
}

/** BM25's k1 = 1.2 and b = 0.75; a term's part is idf * 2.2 / (1 + k / tf), which grows with tf and has one tf in it. */
const lengthFactor = (sql: Sql, averageLength: number) =>
  sql`1.2 * (0.25 + 0.75 * term_count / ${averageLength}::float8)`

/** The sum over the query's words of the best of each word's forms, as one expression: a subquery a row costs more than the rest. */
function scoreExpression(sql: Sql, terms: readonly WeightedTerm[]) {
  const groups = new Map<number, WeightedTerm[]>()
  for (const term of terms) groups.set(term.group, [...(groups.get(term.group) ?? []), term])
  const part = ({ term, weight }: WeightedTerm) =>
    sql`${weight * 2.2}::float8 / (1 + k / frequencies[array_position(terms, ${term.toString()}::text::bigint)])`
  let score = sql`0::float8`
  for (const group of groups.values()) {
    const [first, ...others] = group.map(part)
    if (first === undefined) continue
    const best = others.reduce((all, other) => sql`${all}, ${other}`, first)
    score = sql`${score} + coalesce(greatest(${best}), 0)`
  }
  return score
}

/**
 * BM25 (Robertson and Zaragoza 2009) over the units that hold an essential term, best first; of the forms of one word
 * only the best counts. The GIN index on `terms` finds the candidates; their number is bounded, so that the cost is.
 */
export async function scoreUnits(sql: Sql, query: UnitQuery): Promise<ScoredUnit[]> {
  const rows = await sql<{ session_id: string; first_seq: string; part: number; score: number }[]>`
    with candidates as materialized (
      select u.session_id, u.first_seq, u.part, u.terms, u.frequencies, u.timestamp, ${lengthFactor(sql, query.averageLength)} as k
      from search_units u
      where u.tenant_id = ${query.tenantId} and u.level = ${query.level}
        and u.terms && ${arrayLiteral(query.essential)}::text::bigint[]
        ${query.required.reduce((all, group) => sql`${all} and u.terms && ${arrayLiteral(group)}::text::bigint[]`, sql``)}
        ${filterConditions(sql, query.filter)}
      limit ${query.candidatesMax}
    )
    select session_id, first_seq, part, ${scoreExpression(sql, query.terms)} as score
    from candidates
    order by score desc, timestamp desc, session_id, first_seq, part
    limit ${query.limit}`
  return rows.map((row) => ({
    sessionId: row.session_id,
    firstSeq: Number(row.first_seq),
    part: row.part,
    score: row.score,
  }))
}

/** How positive the messages of a stretch of a session are; those without a value are absent. */
export async function readSentiments(
  sql: Sql,
  key: { readonly tenantId: number; readonly sessionId: string },
  range: { readonly fromSeq: number; readonly toSeq: number },
): Promise<Map<number, number>> {
  const rows = await sql<{ first_seq: string; sentiment: number }[]>`
    select first_seq, sentiment from search_units
    where tenant_id = ${key.tenantId} and level = ${messageLevel} and session_id = ${key.sessionId}
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
