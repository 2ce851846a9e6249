import type { Viewer } from '../../model/access.ts'
import { makerOf } from '../../model/extractors.ts'
import type { MessageSource } from '../messages.ts'
import { isoTime } from '../rows.ts'
import { factRows, type FactFilter, type FactPlace, type RawFact } from './fact-rows.ts'
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

/** Places of one fact that are read; the newest. */
const sourcesMax = 10

/** Facts that a viewer may see, how many there are in all, and where more begin. One that cannot be opened is left out, as `verify` reports it. */
export async function readFacts(
  database: MessageSource,
  viewer: Viewer,
  filter: FactFilter,
): Promise<{ readonly facts: readonly StoredFact[]; readonly total: number; readonly next: FactPlace | undefined }> {
  const found = await database.run((sql) => factRows(sql, viewer, filter))
  const rows = found.slice(0, filter.limit)
  const last = found.length > rows.length ? rows.at(-1) : undefined
  const keys = rows.map((row) => ({ sessionId: row.session_id, version: row.key_version }))
  const seals = await database.vault.sealsOf(viewer.tenantId, keys)
  const sources = await readSources(database, viewer, rows)
  const facts = rows.flatMap((row) => {
    const body = openFactBody(row, seals(row.session_id, row.key_version))
    if ('damage' in body) return []
    const told = row.ids.flatMap((one) => sources.get(one) ?? [])
    return [{ ...fromRow(row, body), sources: told.slice(0, sourcesMax) }]
  })
  const next = last && {
    pinned: last.pinned,
    lastToldAt: isoTime(last.last_told),
    sessionId: last.session_id,
    toldPlace: last.told_place,
    id: last.id,
  }
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
  const ids = JSON.stringify(rows.flatMap((row) => row.ids.slice(0, sourcesMax)))
  const found = await database.run(
    (sql) => sql<
      { fact_id: string; session_id: string; message_id: string; seq: string; span_start: number; span_end: number }[]
    >`
    select fact_id, session_id, message_id, seq, span_start, span_end from fact_sources
    where tenant_id = ${viewer.tenantId} and fact_id in (select jsonb_array_elements_text(${ids}::text::jsonb)::uuid) order by seq desc, span_start desc`,
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
