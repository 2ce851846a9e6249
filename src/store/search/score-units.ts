import type { Sql } from 'postgres'

import type { Viewer } from '../../model/access.ts'
import { joined, text, type SqlText } from '../sql-text.ts'
import { arrayLiteral } from './search-units.ts'
import { sessionOfUnitConditions, unitConditions, type UnitFilter } from './unit-filter.ts'

/** A message with the score of its best part. */
export interface ScoredMessage {
  readonly sessionId: string
  readonly seq: number
  /** Its best part. */
  readonly part: number
  readonly score: number
  readonly timestampMs: number
}

/** Messages in the order of their scores, and how many units were looked at. */
export interface ScoredMessages {
  readonly messages: readonly ScoredMessage[]
  readonly candidates: number
}

/** One BM25 term: its hash, its weight (idf times the query's own weight for it), and the word it is a form of. */
export interface WeightedTerm {
  readonly term: bigint
  readonly weight: number
  readonly group: number
}

/** What terms a unit must hold: any of them, or all of them. */
export type TermCondition = { readonly any: readonly bigint[] } | { readonly all: readonly bigint[] }

export interface UnitQuery {
  readonly viewer: Viewer
  readonly level: number
  /** Choose the candidates, by the index: units that meet all of these. */
  readonly candidates: readonly TermCondition[]
  /** All terms that score. */
  readonly terms: readonly WeightedTerm[]
  /** Conditions that a message must meet besides, each in any one of its parts. */
  readonly required: readonly TermCondition[]
  readonly averageLength: number
  /** The constants of BM25. */
  readonly k1: number
  readonly b: number
  readonly filter: UnitFilter
  readonly candidatesMax: number
  /** Where more units meet the condition than may be looked at: this many of the newest units of all are looked through too. */
  readonly newestUnits: number
  /** Only the newest units of this time are looked through, and none that the index on terms finds; in milliseconds since 1970. */
  readonly within?: { readonly fromMs: number; readonly toMs: number }
  /** Whether the newest of those that the index finds are the candidates, and not any of them. All of them are read. */
  readonly newestFirst?: boolean
  readonly limit: number
}

/** Units of half the length of a part and more may be one of several parts of their message. */
const partTermsMin = 100

/** The condition on a unit, in a form that the GIN index on `terms` answers. */
function meetsByIndex(condition: TermCondition): SqlText {
  return 'any' in condition
    ? text`u.terms && ${arrayLiteral(condition.any)}::text::bigint[]`
    : text`u.terms @> ${arrayLiteral(condition.all)}::text::bigint[]`
}

/**
 * The same condition for units that are looked at one by one: the operators of arrays compare each member with each, which
 * takes ten times as long as to find a term in the ordered list by halving it.
 */
function meets(condition: TermCondition, unit: SqlText): SqlText {
  const holds = (term: bigint) => {
    const hash = text`${term.toString()}::text::bigint`
    return text`${unit}.terms[width_bucket(${hash}, ${unit}.terms)] = ${hash}`
  }
  return 'any' in condition
    ? text`(${joined([text`false`, ...condition.any.map(holds)], text` or `)})`
    : text`(${joined([text`true`, ...condition.all.map(holds)], text` and `)})`
}

function requiredCondition(condition: TermCondition): SqlText {
  return text`and (${meets(condition, text`u`)} or ((u.part > 0 or u.term_count >= ${partTermsMin}) and exists (
    select from search_units other where other.tenant_id = u.tenant_id and other.level = u.level
      and other.session_id = u.session_id and other.first_seq = u.first_seq and ${meets(condition, text`other`)})))`
}

/** Of a time so many units are looked through, the newest. */
const unitsOfTimeMax = 10_000

/** Of which time the newest units are looked through: that of the filter, so that they are none that it leaves out. */
function timeCondition({ filter: { since, until }, within }: UnitQuery): SqlText {
  const time = (milliseconds: number) => text`${new Date(milliseconds).toISOString()}::text::timestamptz`
  return joined(
    [
      since === undefined ? text`` : text`and u.timestamp >= ${since}::text::timestamptz`,
      until === undefined ? text`` : text`and u.timestamp <= ${until}::text::timestamptz`,
      within === undefined
        ? text``
        : text`and u.timestamp >= ${time(within.fromMs)} and u.timestamp < ${time(within.toMs)}`,
    ],
    text` `,
  )
}

/** The sum over the query's words of the best of each word's forms in the unit `u`, as one expression: a subquery a row costs more than the rest. */
function scoreExpression(terms: readonly WeightedTerm[], k1: number): SqlText {
  const groups = new Map<number, WeightedTerm[]>()
  for (const term of terms) groups.set(term.group, [...(groups.get(term.group) ?? []), term])
  // `width_bucket` finds a term in the ordered list by halving it: a third of the time that looking at each one takes.
  // A term's part is idf * (k1 + 1) / (1 + k / tf), BM25 written so that tf stands in it once.
  const part = ({ term, weight }: WeightedTerm) => {
    const hash = term.toString()
    const place = text`width_bucket(${hash}::text::bigint, u.terms)`
    return text`case when u.terms[${place}] = ${hash}::text::bigint then ${weight * (k1 + 1)}::float8 / (1 + u.k / u.frequencies[${place}]) end`
  }
  const best = [...groups.values()].map((group) => text`coalesce(greatest(${joined(group.map(part), text`, `)}), 0)`)
  return best.length === 0 ? text`0::float8` : joined(best, text` + `)
}

/**
 * BM25 (Robertson and Zaragoza 2009) over the units that meet a condition; of the forms of one
 * word only the best counts, and of a message's parts the best one. Best first; ties by time, newest first, then by id.
 * The GIN index on `terms` finds the candidates; their number is bounded, so that the cost is.
 */
export async function scoreMessages(sql: Sql, query: UnitQuery): Promise<ScoredMessages> {
  const scope = text`u.tenant_id = ${query.viewer.tenantId} and u.level = ${query.level}`
  const every = (conditions: readonly SqlText[]) => joined([text`true`, ...conditions], text` and `)
  const conditions = text`${joined(query.required.map(requiredCondition), text` `)} ${unitConditions(query.filter)}
    ${sessionOfUnitConditions(query.viewer, query.filter)}`
  // The part of BM25 that a unit's length decides.
  const withK = (units: SqlText) =>
    text`(select *, ${query.k1}::float8 * (${1 - query.b}::float8 + ${query.b}::float8 * term_count / ${query.averageLength}::float8) as k from ${units}) u`
  // Scored where they are found: to keep the arrays of all candidates for a second step takes a third longer.
  const scored = (units: SqlText, chosen: SqlText) => text`(
    select u.session_id, u.first_seq, u.part, u.timestamp, ${scoreExpression(query.terms, query.k1)} as score
    from ${withK(units)} where ${chosen} ${conditions} ${query.newestFirst === true ? text`order by u.timestamp desc` : text``} limit ${query.candidatesMax})`
  // Without the barrier the planner would walk the index on time in search of a rare term.
  const barrier = query.newestFirst === true ? text`offset 0` : text``
  const found = text`(select * from search_units u where ${scope} and ${every(query.candidates.map(meetsByIndex))} ${barrier}) found`
  // Only where not every candidate can be looked at; the index on time gives the newest units.
  const newest = (limit: number) =>
    text`(select * from search_units u where ${scope} ${timeCondition(query)} order by u.timestamp desc limit ${limit})`
  const chosen = every(query.candidates.map((condition) => meets(condition, text`u`)))
  // Of a time the newest that meet the conditions, among so many that a time of which nobody says it costs little.
  const newestUnits =
    query.within === undefined
      ? text`${newest(query.newestUnits)} newest`
      : text`(select * from ${newest(unitsOfTimeMax)} u where ${chosen} ${conditions} order by u.timestamp desc limit ${query.newestUnits}) newest`
  const ways = [
    ...(query.within === undefined ? [scored(found, text`true`)] : []),
    ...(query.newestUnits === 0 ? [] : [scored(newestUnits, chosen)]),
  ]
  const statement = text`
    with candidates as materialized (
      ${joined(ways, text` union `)}
    )
    select session_id, first_seq, part, score, (extract(epoch from timestamp) * 1000)::float8 as timestamp_ms, (select count(*) from candidates) as candidates from (
      select distinct on (session_id, first_seq) * from candidates order by session_id, first_seq, score desc, part
    ) messages
    order by score desc, timestamp desc, session_id, first_seq
    limit ${query.limit}`.toStatement()
  const rows = await sql.unsafe<
    { session_id: string; first_seq: string; part: number; score: number; timestamp_ms: number; candidates: string }[]
  >(statement.text, statement.values)
  return {
    messages: rows.map((row) => ({
      sessionId: row.session_id,
      seq: Number(row.first_seq),
      part: row.part,
      score: row.score,
      timestampMs: row.timestamp_ms,
    })),
    candidates: Number(rows[0]?.candidates ?? 0),
  }
}
