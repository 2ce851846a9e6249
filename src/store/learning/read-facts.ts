import type { PendingQuery, Row } from 'postgres'

import type { Viewer } from '../../model/access.ts'
import { makerOf } from '../../model/extractors.ts'
import { andOpen } from '../access/session-access.ts'
import { andUsableFact } from '../access/usable.ts'
import type { MessageSource } from '../messages.ts'
import { isoTime, type Queries } from '../rows.ts'
import { arrayLiteral } from '../search-units.ts'
import { openFactBody } from './open-fact.ts'
import type { FactBody } from './sealed-facts.ts'

/** A place that a fact was told at. */
export interface ToldAt {
  readonly sessionId: string
  readonly messageId: string
  readonly seq: number
  readonly start: number
  readonly end: number
}

/** What was learned, from all the places that it was told at. Times are ISO 8601. */
export interface StoredFact {
  readonly id: string
  readonly sessionId: string
  readonly kind: string
  readonly body: FactBody
  readonly confidence: number
  readonly validFrom: string | null
  /** When it was followed by another, or ended. */
  readonly validTo: string | null
  readonly followedBy: string | null
  readonly lastToldAt: string | null
  readonly pinned: boolean
  readonly madeBy: string
  /** How often it was told. */
  readonly times: number
  readonly sources: readonly ToldAt[]
}

/** A fact of a list by its place: where the next page begins. */
export interface FactPlace {
  readonly pinned: boolean
  readonly lastToldAt: string | null
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

interface RawFact {
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
  pinned: boolean
  made_by: string
  times: number
  ids: string[]
  total: string
}

/**
 * What a fact must share with a text to be about it. A word that one fact has counts 3.9, one that ten have 1.8, one that a
 * hundred have 0.4: one rare word is enough, or two that several have.
 */
const scoreMin = 2
/** Places of one fact that are read; the newest. */
const sourcesMax = 10

/** The condition on `facts` that a viewer may see them: they may read their session, and nothing of it is out of use. */
export function andSeen(sql: Queries, viewer: Viewer): PendingQuery<Row[]> {
  return sql`and facts.deleted_at is null and facts.superseded_by is null
    and facts.session_id in (select id from sessions where tenant_id = ${viewer.tenantId} and not restricted ${andOpen(sql, viewer, 'read')})
    ${andUsableFact(sql, viewer.tenantId)}`
}

/**
 * The facts that a viewer may see, each once however often it was told. What follows from several rows is worked out here and
 * stored nowhere, from what the viewer may read alone: so an earlier fact holds again when the later one is erased, and nobody
 * sees by it what others told. What is told again after something else in its place holds since then: a stage is what was told in a
 * row of one thing.
 */
function statement(sql: Queries, viewer: Viewer, filter: FactFilter): PendingQuery<RawFact[]> {
  const { kinds, past = false, sessionId, notSessionId, id, words, after, limit } = filter
  const wanted = arrayLiteral(words ?? [])
  return sql<RawFact[]>`
    with seen as materialized (
      select facts.*, case when made_by = 'user' then greatest(created_at, valid_from) else valid_from end as told_at
      from facts where tenant_id = ${viewer.tenantId} ${andSeen(sql, viewer)}
    ), turned as (
      select seen.*, lag(statement_term) over told is distinct from statement_term as is_other
      from seen window told as (partition by subject_term order by told_at, id)
    ), staged as (
      select turned.*, count(*) filter (where is_other and subject_term is not null) over told as stage
      from turned window told as (partition by subject_term order by told_at, id)
    ), counted as (
      select staged.*, count(*) over same as times, max(told_at) over same as last_told,
        case when bool_or(pinned) over same then min(valid_from) over same else min(valid_from) over staying end as since,
        min(told_at) over staying as begun,
        bool_or(pinned) over same as is_pinned, jsonb_agg(id) over same as ids,
        row_number() over (partition by kind, statement_term order by told_at desc, id desc) as place
      from staged window same as (partition by kind, statement_term), staying as (partition by kind, statement_term, stage)
    ), once as (
      select *, (subject_term is not null and not is_pinned) as may_end,
        lead(id) over next as next_id, lead(begun) over next as next_begun
      from counted where place = 1 window next as (partition by subject_term order by last_told, id)
    ), held as (
      select once.*, least(valid_to, case when may_end then next_begun end) as ends, case when may_end then next_id end as followed_by
      from once
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
      is_pinned as pinned, made_by, times::int, ids, total
    from listed
      ${after === undefined ? sql`` : sql`where (is_pinned, at, id) < (${after.pinned}, coalesce(${after.lastToldAt}::text::timestamptz, 'infinity'), ${after.id}::uuid)`}
    order by is_pinned desc, score desc, at desc, id desc limit ${limit + 1}`
}

/** Facts that a viewer may see, how many there are in all, and where more begin. One that cannot be opened is left out, as `verify` reports it. */
export async function readFacts(
  database: MessageSource,
  viewer: Viewer,
  filter: FactFilter,
): Promise<{ readonly facts: readonly StoredFact[]; readonly total: number; readonly next: FactPlace | undefined }> {
  const found = await database.run((sql) => statement(sql, viewer, filter))
  const rows = found.slice(0, filter.limit)
  const last = found.length > rows.length ? rows.at(-1) : undefined
  const keys = rows.map((row) => ({ sessionId: row.session_id, version: row.key_version }))
  const seals = await database.vault.sealsOf(viewer.tenantId, keys)
  const sources = await readSources(database, viewer, rows)
  const facts = rows.flatMap((row) => {
    const body = openFactBody(row, seals(row.session_id, row.key_version))
    if ('damage' in body) return []
    const told = row.ids.flatMap((one) => sources.get(one) ?? [])
    return [
      {
        ...fromRow(row, body),
        sources: told.toSorted((a, b) => (a.messageId < b.messageId ? 1 : -1)).slice(0, sourcesMax),
      },
    ]
  })
  const next = last && { pinned: last.pinned, lastToldAt: isoTime(last.last_told), id: last.id }
  return { facts, total: Number(rows[0]?.total ?? 0), next }
}

function fromRow(row: RawFact, body: FactBody): Omit<StoredFact, 'sources'> {
  return {
    id: row.id,
    sessionId: row.session_id,
    kind: row.kind,
    body,
    // Told twice it is the likelier; what nobody has looked at is never quite sure.
    confidence: row.made_by === 'user' ? 1 : Math.min(0.99, 1 - (1 - row.confidence) ** Math.min(row.times, 3)),
    validFrom: isoTime(row.valid_from),
    validTo: isoTime(row.valid_to),
    followedBy: row.followed_by,
    lastToldAt: isoTime(row.last_told),
    pinned: row.pinned,
    madeBy: makerOf(row.made_by),
    times: row.times,
  }
}

async function readSources(
  database: MessageSource,
  viewer: Viewer,
  rows: readonly RawFact[],
): Promise<ReadonlyMap<string, readonly ToldAt[]>> {
  const ids = JSON.stringify(rows.flatMap((row) => row.ids.slice(-sourcesMax)))
  const found = await database.run(
    (sql) => sql<
      { fact_id: string; session_id: string; message_id: string; seq: string; span_start: number; span_end: number }[]
    >`
    select fact_id, session_id, message_id, seq, span_start, span_end from fact_sources
    where tenant_id = ${viewer.tenantId} and fact_id in (select jsonb_array_elements_text(${ids}::text::jsonb)::uuid) order by seq`,
  )
  const sources = new Map<string, ToldAt[]>()
  for (const row of found) {
    const place = {
      sessionId: row.session_id,
      messageId: row.message_id,
      seq: Number(row.seq),
      start: row.span_start,
      end: row.span_end,
    }
    sources.set(row.fact_id, [...(sources.get(row.fact_id) ?? []), place])
  }
  return sources
}

/** Facts of some sessions that cannot be opened, and why. */
export async function damagedFacts(
  database: MessageSource,
  tenantId: number,
  sessionIds: readonly string[],
): Promise<{ readonly id: string; readonly sessionId: string; readonly damage: string }[]> {
  const rows = await database.run(
    (sql) => sql<{ id: string; session_id: string; body: Uint8Array; key_version: number }[]>`
    select id, session_id, body, key_version from facts
    where tenant_id = ${tenantId} and key_version > 0
      and session_id in (select jsonb_array_elements_text(${JSON.stringify(sessionIds)}::text::jsonb)::uuid)`,
  )
  const seals = await database.vault.sealsOf(
    tenantId,
    rows.map((row) => ({ sessionId: row.session_id, version: row.key_version })),
  )
  return rows.flatMap((row) => {
    const body = openFactBody(row, seals(row.session_id, row.key_version))
    return 'damage' in body ? [{ id: row.id, sessionId: row.session_id, damage: body.damage }] : []
  })
}
