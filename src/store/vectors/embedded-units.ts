import type { TransactionSql } from 'postgres'

import { keepFromErasure } from '../erasure/keep-from-erasure.ts'
import { addWorkAnew } from '../erasure/work-anew.ts'
import type { Queries } from '../rows.ts'
import { embedTopic } from '../work/outbox.ts'
import type { UnitKey, VectorScope } from './unit-vectors.ts'

/** A unit that has a vector, and the hash of the text that it is of. */
export interface EmbeddedUnit extends UnitKey {
  /** SHA-256 of the text that was embedded, in hexadecimal. */
  readonly textSha256: string
}

interface UnitRow {
  readonly level: number
  readonly session_id: string
  readonly first_seq: string
  readonly part: number
  readonly sha: string
}

function unitOf(row: UnitRow): EmbeddedUnit {
  return {
    level: row.level,
    sessionId: row.session_id,
    firstSeq: Number(row.first_seq),
    part: row.part,
    textSha256: row.sha,
  }
}

/** What is known of some units: those that have a vector, with the hash of its text. */
export async function readEmbedded(
  sql: Queries,
  scope: VectorScope,
  keys: readonly UnitKey[],
): Promise<EmbeddedUnit[]> {
  const wanted = JSON.stringify(keys.map(({ level: l, sessionId: s, firstSeq: f, part: p }) => ({ l, s, f, p })))
  const rows = await sql<UnitRow[]>`
    select u.level, u.session_id, u.first_seq, u.part, encode(u.text_sha256, 'hex') as sha
    from jsonb_to_recordset(${wanted}::text::jsonb) as key(l smallint, s uuid, f bigint, p int)
    join embedded_units u on u.tenant_id = ${scope.tenantId} and u.model_id = ${scope.modelId}
      and u.level = key.l and u.session_id = key.s and u.first_seq = key.f and u.part = key.p`
  return rows.map(unitOf)
}

/** For each of some texts that a unit is embedded with already, one such unit. */
export async function unitsWithTexts(
  sql: Queries,
  scope: VectorScope,
  textSha256s: readonly string[],
): Promise<EmbeddedUnit[]> {
  const rows = await sql<UnitRow[]>`
    select same.level, same.session_id, same.first_seq, same.part, wanted.sha
    from jsonb_array_elements_text(${JSON.stringify(textSha256s)}::text::jsonb) as wanted(sha), lateral (
      select * from embedded_units
      where tenant_id = ${scope.tenantId} and model_id = ${scope.modelId} and text_sha256 = decode(wanted.sha, 'hex') limit 1
    ) same`
  return rows.map(unitOf)
}

/** A unit that was just embedded, and how often messages of its session were erased or anonymised when its texts were read. */
export type NewlyEmbedded = EmbeddedUnit & { readonly erasures: number }

/**
 * Notes that units have vectors; a unit whose text is another now gets the new hash. Returns those of which the message is gone,
 * or messages of the session were erased or anonymised since theirs and the one before it were read: they are not noted, and
 * their vectors are to be removed, then to be made anew (`embedLostAgain`).
 */
export async function recordEmbedded(
  sql: TransactionSql,
  scope: VectorScope,
  units: readonly NewlyEmbedded[],
): Promise<UnitKey[]> {
  if (units.length === 0) return []
  await keepFromErasure(sql, scope.tenantId, units)
  const gone = await erasedUnits(sql, scope, units)
  const left = units.filter((unit) => !gone.has(unit))
  const rows = JSON.stringify(
    left.map(({ level: l, sessionId: s, firstSeq: f, part: p, textSha256: h }) => ({ l, s, f, p, h })),
  )
  await sql`
    insert into embedded_units (tenant_id, model_id, level, session_id, first_seq, part, text_sha256)
    select ${scope.tenantId}, ${scope.modelId}, l, s, f, p, decode(h, 'hex')
    from jsonb_to_recordset(${rows}::text::jsonb) as unit(l smallint, s uuid, f bigint, p int, h text)
    on conflict on constraint embedded_units_pkey do update set text_sha256 = excluded.text_sha256, embedded_at = now()
      where embedded_units.text_sha256 <> excluded.text_sha256`
  return [...gone]
}

/** Those of which the message is gone, or messages of the session were erased or anonymised since they were read. */
export async function erasedUnits<Unit extends NewlyEmbedded>(
  sql: Queries,
  scope: VectorScope,
  units: readonly Unit[],
): Promise<ReadonlySet<Unit>> {
  const places = JSON.stringify(units.map(({ sessionId: s, firstSeq: f, erasures: e }, at) => ({ s, f, at, e })))
  const rows = await sql<{ at: number }[]>`
    select at from jsonb_to_recordset(${places}::text::jsonb) as place(s uuid, f bigint, at int, e int)
    where not exists (select from messages m where m.tenant_id = ${scope.tenantId} and m.session_id = s and m.seq = f and m.kind <> 'erased')
      or not exists (select from sessions where tenant_id = ${scope.tenantId} and id = s and erasures = e)`
  return new Set(rows.flatMap(({ at }) => units[at] ?? []))
}

/**
 * Leaves units to be embedded again whose vectors were removed as they may have been of what was erased or anonymised meanwhile.
 * Another one may have noted them in between: that their vectors are there is known no more.
 */
export async function embedLostAgain(
  sql: TransactionSql,
  { tenantId, modelId }: VectorScope,
  units: readonly UnitKey[],
): Promise<void> {
  const lost = JSON.stringify(units.map(({ level: l, sessionId: s, firstSeq: f, part: p }) => ({ l, s, f, p })))
  await sql`
    delete from embedded_units u using jsonb_to_recordset(${lost}::text::jsonb) as lost(l smallint, s uuid, f bigint, p int)
    where u.tenant_id = ${tenantId} and u.model_id = ${modelId} and u.level = l and u.session_id = s and u.first_seq = f and u.part = p`
  const places = new Map(units.map(({ sessionId, firstSeq }) => [`${sessionId} ${firstSeq}`, { sessionId, firstSeq }]))
  await addWorkAnew(
    sql,
    embedTopic,
    [...places.values()].map((place) => ({ tenantId, ...place, lastSeq: place.firstSeq })),
  )
}

/** Forgets every unit of a model: its vectors are removed. */
export async function forgetEmbedded(sql: Queries, scope: VectorScope): Promise<void> {
  await sql`delete from embedded_units where tenant_id = ${scope.tenantId} and model_id = ${scope.modelId}`
}

export async function countEmbedded(sql: Queries, scope: VectorScope): Promise<number> {
  const [row] = await sql<{ count: string }[]>`
    select count(*) as count from embedded_units
    where tenant_id = ${scope.tenantId} and model_id = ${scope.modelId} and text_sha256 <> decode('00', 'hex')`
  return Number(row?.count ?? 0)
}
