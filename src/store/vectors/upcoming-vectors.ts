import type { PendingQuery, Row, TransactionSql } from 'postgres'

import { keepFromErasure } from '../erasure/keep-from-erasure.ts'
import type { Queries } from '../rows.ts'
import { embedTopic } from '../work/outbox.ts'
import { erasedUnits, type NewlyEmbedded } from './embedded-units.ts'
import type { UnitKey, VectorScope } from './unit-vectors.ts'

/**
 * In the place of the hash of a text: a vector may be there that nobody has noted, as it is about to be written to an index elsewhere, or its
 * writer died. Whose work it was to write it finds it as long as that work is pending.
 */
export const upcomingHash = (sql: Queries): PendingQuery<Row[]> => sql`decode('00', 'hex')`

/** The condition that vectors of a message of `unit` may be on their way: it is work of who embeds, for good or by another one who is at it. */
export function isToBeEmbedded(
  sql: Queries,
  unit: { readonly tenantId: number; readonly sessionId: PendingQuery<Row[]>; readonly seq: PendingQuery<Row[]> },
): PendingQuery<Row[]> {
  return sql`exists (
    select from outbox o where o.tenant_id = ${unit.tenantId} and o.topic = ${embedTopic} and o.session_id = ${unit.sessionId}
      and o.first_seq <= ${unit.seq} and o.last_seq >= ${unit.seq} and o.dead_at is null)`
}

/**
 * Notes that vectors of units are about to be written elsewhere, so that whoever erases their messages knows of them also where the writer dies
 * before it notes what it wrote. Returns those that are not to be written, as `recordEmbedded` returns those that are to be removed.
 */
export async function noteUpcoming<Unit extends NewlyEmbedded>(
  sql: TransactionSql,
  { tenantId, modelId }: VectorScope,
  units: readonly Unit[],
): Promise<ReadonlySet<Unit>> {
  await keepFromErasure(sql, tenantId, units)
  const gone = await erasedUnits(sql, { tenantId, modelId }, units)
  const left = units.filter((unit) => !gone.has(unit))
  const rows = JSON.stringify(left.map(({ level: l, sessionId: s, firstSeq: f, part: p }) => ({ l, s, f, p })))
  await sql`
    insert into embedded_units (tenant_id, model_id, level, session_id, first_seq, part, text_sha256)
    select ${tenantId}, ${modelId}, l, s, f, p, ${upcomingHash(sql)}
    from jsonb_to_recordset(${rows}::text::jsonb) as unit(l smallint, s uuid, f bigint, p int)
    on conflict on constraint embedded_units_pkey do nothing`
  return gone
}

/** A part of a session's messages; both ends included. */
export interface EmbeddedStretch {
  readonly sessionId: string
  readonly firstSeq: number
  readonly lastSeq: number
}

/** Units of some stretches of which a vector may be there elsewhere that is of nothing that is known: it is to be removed, or replaced. */
export async function unnotedUnits(
  sql: Queries,
  { tenantId, modelId }: VectorScope,
  stretches: readonly EmbeddedStretch[],
): Promise<UnitKey[]> {
  const wanted = JSON.stringify(stretches.map(({ sessionId: s, firstSeq: f, lastSeq: l }) => ({ s, f, l })))
  const rows = await sql<{ level: number; session_id: string; first_seq: string; part: number }[]>`
    select distinct u.level, u.session_id, u.first_seq, u.part
    from jsonb_to_recordset(${wanted}::text::jsonb) as stretch(s uuid, f bigint, l bigint)
      join embedded_units u on u.tenant_id = ${tenantId} and u.model_id = ${modelId} and u.level in (0, 1, 2)
        and u.session_id = stretch.s and u.first_seq between stretch.f and stretch.l
    where u.text_sha256 in ('', ${upcomingHash(sql)})`
  return rows.map((row) => ({
    level: row.level,
    sessionId: row.session_id,
    firstSeq: Number(row.first_seq),
    part: row.part,
  }))
}

/** Forgets such units, which were removed. Of those that are work still another one may be writing the vectors just now: they stay known. */
export async function forgetUnnoted(
  sql: Queries,
  { tenantId, modelId }: VectorScope,
  units: readonly UnitKey[],
): Promise<void> {
  if (units.length === 0) return
  const rows = JSON.stringify(units.map(({ level: l, sessionId: s, firstSeq: f, part: p }) => ({ l, s, f, p })))
  const place = { tenantId, sessionId: sql`u.session_id`, seq: sql`u.first_seq` }
  await sql`
    delete from embedded_units u using jsonb_to_recordset(${rows}::text::jsonb) as removed(l smallint, s uuid, f bigint, p int)
    where u.tenant_id = ${tenantId} and u.model_id = ${modelId} and u.level = l and u.session_id = s and u.first_seq = f and u.part = p
      and u.text_sha256 in ('', ${upcomingHash(sql)}) and not ${isToBeEmbedded(sql, place)}`
}
