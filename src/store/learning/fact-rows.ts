import type { PendingQuery, Row } from 'postgres'

import type { Viewer } from '../../model/access.ts'
import { andOpen } from '../access/session-access.ts'
import { andUsableFact } from '../access/usable.ts'
import type { Queries } from '../rows.ts'
import { arrayLiteral } from '../search/search-units.ts'

/** A fact of a list by its place: where the next page begins. */
export interface FactPlace {
  readonly pinned: boolean
  readonly lastToldAt: string | null
  readonly sessionId: string
  /** In its session, as an array of PostgreSQL. */
  readonly toldPlace: string
  readonly id: string
}

export interface FactFilter {
  readonly kinds?: readonly string[] | undefined
  /** Also what does not hold any more. */
  readonly past?: boolean | undefined
  readonly sessionId?: string | undefined
  /** Only these, by the id of any of their rows. */
  readonly id?: string | undefined
  /** Only what shares a word with this, and what is pinned; the closest first. */
  readonly words?: readonly bigint[] | undefined
  /** Not what was told in this session alone. */
  readonly notSessionId?: string | undefined
  /** Only what comes after this one in a list that no words were given for. */
  readonly after?: FactPlace | undefined
  readonly limit: number
}

export interface RawFact {
  id: string
  session_id: string
  kind: string
  body: Uint8Array
  key_version: number
  confidence: number
  valid_from: Date | null
  valid_to: Date | null
  followed_by: string | null
  last_told: Date | null
  told_place: string
  pinned: boolean
  made_by: string
  times: number
  /** Of all its rows, what was told last first. */
  ids: string[]
  total: string
}

/**
 * What a fact must share with a text to be about it. A word that one fact has counts 3.9, one that ten have 1.8, one that a
 * hundred have 0.4: one rare word is enough, or two that several have.
 */
const scoreMin = 2

/** The condition on `facts` that a viewer may see them: they may read their session, and nothing of it is out of use. */
export function andSeen(sql: Queries, viewer: Viewer): PendingQuery<Row[]> {
  return sql`and facts.deleted_at is null and facts.superseded_by is null
    and facts.session_id in (select id from sessions where tenant_id = ${viewer.tenantId} and not restricted ${andOpen(sql, viewer, 'read')})
    ${andUsableFact(sql, viewer.tenantId)}`
}

/**
 * The rows of `facts` that a viewer may see, in the order in which they were told: `nth`. Of one time, as messages have that were saved
 * together, by their place in the session and in the message. An ending is what says that something is so no longer: it has what it
 * ends as its own `subject_term` and, as what it ends has it, as the first of its terms. `opposed`: each row of which there is an
 * ending, and that ending, both ways, as what is told again ends the ending.
 */
const told = (sql: Queries, viewer: Viewer) => sql`
    noted as (
      select facts.*, terms[1] as claim_term, case when made_by = 'user' then greatest(created_at, valid_from) else valid_from end as told_at,
        coalesce((select max(array[s.seq, s.span_start]) from fact_sources s where s.tenant_id = ${viewer.tenantId} and s.fact_id = facts.id), '{}')
          as told_place
      from facts where tenant_id = ${viewer.tenantId} ${andSeen(sql, viewer)}
    ), seen as materialized (
      select noted.*, row_number() over (order by told_at, session_id, told_place, id) as nth from noted
    ), endings as materialized (
      select * from seen where subject_term = claim_term
    ), ended as materialized (
      select f.id, f.nth, f.told_at, e.id as ending_id, e.nth as ending_nth, e.told_at as ending_told_at
      from endings e join seen f on f.claim_term = e.claim_term and f.subject_term is distinct from f.claim_term
    ), opposed as materialized (
      select id, nth, ending_id as other_id, ending_nth as other_nth, ending_told_at as other_told_at from ended
      union all select ending_id, ending_nth, id, nth, told_at from ended
    )`

/**
 * The facts that a viewer may see, each once however often it was told. What follows from several rows is worked out here and
 * stored nowhere, from what the viewer may read alone: so an earlier fact holds again when the later one is erased, and nobody
 * sees by it what others told. What is told again after something else in its place, or after its end, holds since then: a stage is
 * what was told in a row of one thing.
 */
export function factRows(sql: Queries, viewer: Viewer, filter: FactFilter): PendingQuery<RawFact[]> {
  const { kinds, past = false, sessionId, notSessionId, id, words, after, limit } = filter
  const wanted = arrayLiteral(words ?? [])
  return sql<RawFact[]>`
    with ${told(sql, viewer)}, turned as (
      select seen.*, coalesce(breaks, 0) as breaks, lag(statement_term) over slot is distinct from statement_term as is_other
      from seen left join (select id, count(*) as breaks from opposed where other_nth < nth group by id) broken using (id)
      window slot as (partition by subject_term order by nth)
    ), staged as (
      select turned.*, count(*) filter (where is_other and subject_term is not null) over (partition by subject_term order by nth) as stage
      from turned
    ), counted as (
      select staged.*, count(*) over same as times, max(told_at) over same as last_told,
        case when bool_or(pinned) over same then min(valid_from) over same else min(valid_from) over staying end as since,
        min(told_at) over staying as begun, bool_or(pinned) over same as is_pinned, jsonb_agg(id) over newest as ids,
        first_value(id) over newest as shown_id
      from staged window same as (partition by kind, statement_term), staying as (partition by kind, statement_term, stage, breaks),
        newest as (partition by kind, statement_term order by nth desc rows between unbounded preceding and unbounded following)
    ), once as (
      select *, (subject_term is not null and not is_pinned) as may_end, lead(id) over next as next_id, lead(begun) over next as next_begun
      from counted where id = shown_id window next as (partition by subject_term order by nth)
    ), answered as (
      select distinct on (o.id) o.id as answered_id, other.shown_id as answer_id, o.other_told_at as answer_at
      from opposed o join counted other on other.id = o.other_id where o.other_nth > o.nth order by o.id, o.other_nth
    ), held as (
      select once.*, least(valid_to, case when may_end then next_begun end, case when not is_pinned then answer_at end) as ends,
        case when may_end and (answer_id is null or next_begun <= answer_at) then next_id when not is_pinned then answer_id end as followed_by
      from once left join answered on answered_id = id
    ), frequent as materialized (
      select term, count(*) as facts from held, unnest(terms) as term where term = any(${wanted}::text::bigint[]) group by term
    ), scored as (
      select held.*, ${words === undefined ? sql`0::float8` : sql`(select coalesce(sum(ln(1 + 50.0 / f.facts)), 0) from frequent f where f.term = any(held.terms))`} as score from held
    ), listed as (
      select *, coalesce(last_told, 'infinity') as at, count(*) over () as total from scored where true
        ${past ? sql`` : sql`and followed_by is null and (ends is null or ends > now())`}
        ${kinds === undefined ? sql`` : sql`and kind in (select jsonb_array_elements_text(${JSON.stringify(kinds)}::text::jsonb))`}
        ${sessionId === undefined ? sql`` : sql`and exists (select from seen s where s.session_id = ${sessionId} and s.kind = scored.kind and s.statement_term = scored.statement_term)`}
        ${notSessionId === undefined ? sql`` : sql`and exists (select from seen s where s.session_id <> ${notSessionId} and s.kind = scored.kind and s.statement_term = scored.statement_term)`}
        ${id === undefined ? sql`` : sql`and ids ? ${id}`}
        ${words === undefined ? sql`` : sql`and (score >= ${scoreMin}::float8 or is_pinned)`}
    )
    select id, session_id, kind, body, key_version, confidence, since as valid_from, ends as valid_to, followed_by, last_told,
      told_place::text, is_pinned as pinned, made_by, times::int, ids, total
    from listed ${after === undefined ? sql`` : andAfter(sql, after)}
    order by is_pinned desc, score desc, nth desc limit ${limit + 1}`
}

const andAfter = (sql: Queries, { pinned, lastToldAt, sessionId, toldPlace, id }: FactPlace) => sql`
  where (is_pinned, at, session_id, told_place, id) <
    (${pinned}, coalesce(${lastToldAt}::text::timestamptz, 'infinity'), ${sessionId}::uuid, ${toldPlace}::text::bigint[], ${id}::uuid)`
