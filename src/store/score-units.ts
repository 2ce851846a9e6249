import type { Sql } from 'postgres'

import { arrayLiteral } from './search-units.ts'

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

/** Units in the order of their scores, and how many were looked at. */
export interface ScoredUnits {
  readonly units: readonly ScoredUnit[]
  readonly candidates: number
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
  // `width_bucket` finds a term in the ordered list by halving it: a third of the time that looking at each one takes.
  const part = ({ term, weight }: WeightedTerm) => {
    const place = sql`width_bucket(${term.toString()}::text::bigint, terms)`
    return sql`case when terms[${place}] = ${term.toString()}::text::bigint
      then ${weight * 2.2}::float8 / (1 + k / frequencies[${place}]) end`
  }
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
export async function scoreUnits(sql: Sql, query: UnitQuery): Promise<ScoredUnits> {
  const rows = await sql<{ session_id: string; first_seq: string; part: number; score: number; candidates: string }[]>`
    with candidates as materialized (
      select u.session_id, u.first_seq, u.part, u.terms, u.frequencies, u.timestamp, ${lengthFactor(sql, query.averageLength)} as k
      from search_units u
      where u.tenant_id = ${query.tenantId} and u.level = ${query.level}
        and u.terms && ${arrayLiteral(query.essential)}::text::bigint[]
        ${query.required.reduce((all, group) => sql`${all} and u.terms && ${arrayLiteral(group)}::text::bigint[]`, sql``)}
        ${filterConditions(sql, query.filter)}
      limit ${query.candidatesMax}
    )
    select session_id, first_seq, part, ${scoreExpression(sql, query.terms)} as score, (select count(*) from candidates) as candidates
    from candidates
    order by score desc, timestamp desc, session_id, first_seq, part
    limit ${query.limit}`
  return {
    units: rows.map(({ session_id: sessionId, first_seq: firstSeq, part, score }) => ({
      sessionId,
      firstSeq: Number(firstSeq),
      part,
      score,
    })),
    candidates: Number(rows[0]?.candidates ?? 0),
  }
}
