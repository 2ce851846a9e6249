import type { Sql } from 'postgres'

import type { Viewer } from '../../model/access.ts'
import type { Role } from '../../model/messages/message.ts'
import { usableUnit } from '../access/usable.ts'
import { joined, text } from '../sql-text.ts'
import { sessionConditions, unitConditions, type UnitFilter } from './unit-filter.ts'

/** What the ranking reads of one search unit: a message or a part of a long one. */
export interface UnitEvidence {
  readonly sessionId: string
  readonly seq: number
  readonly part: number
  /** Words, counted with repetition. */
  readonly termCount: number
  /** Milliseconds since 1970. */
  readonly timestampMs: number
  readonly role: Role
  readonly kind: string
  /** Bits of `indexing/traits.ts`. */
  readonly traits: number
  /** How often each term that was asked for occurs, in the order in which they were given. */
  readonly frequencies: readonly number[]
  /** Whether the filters let it be a result; its neighbours are read in any case. */
  readonly eligible: boolean
}

export interface EvidenceRequest {
  readonly viewer: Viewer
  /** Of the units of messages. */
  readonly level: number
  /** Stretches of sessions, without overlap: [fromSeq, toSeq]. */
  readonly stretches: readonly { readonly sessionId: string; readonly fromSeq: number; readonly toSeq: number }[]
  readonly terms: readonly bigint[]
  readonly filter: UnitFilter
}

/**
 * Reads every unit of some stretches of sessions, in their order, by the primary key of `search_units`; none that is not to
 * be used, whose words must not lead to a neighbour either.
 */
export async function readEvidence(sql: Sql, request: EvidenceRequest): Promise<UnitEvidence[]> {
  if (request.stretches.length === 0) return []
  const stretches = JSON.stringify(request.stretches.map(({ sessionId: s, fromSeq: a, toSeq: b }) => ({ s, a, b })))
  // `terms` is in ascending order: `width_bucket` finds one by halving it.
  const frequency = (term: bigint) => {
    const place = text`width_bucket(${term.toString()}::text::bigint, u.terms)`
    return text`case when u.terms[${place}] = ${term.toString()}::text::bigint then u.frequencies[${place}] else 0 end`
  }
  const frequencies =
    request.terms.length === 0
      ? text`''`
      : text`array_to_string(array[${joined(request.terms.map(frequency), text`, `)}], ',')`
  // `date_part` gives a double; `extract` gives a numeric, which takes ten times as long.
  const statement = text`
    select u.session_id, u.first_seq, u.part, u.term_count, date_part('epoch', u.timestamp) * 1000 as at, u.role, u.kind, u.traits,
      ${frequencies} as frequencies, (stretch.open ${unitConditions(request.filter)}) as eligible
    from (
      select w.*, exists (select from sessions s where s.tenant_id = ${request.viewer.tenantId} and s.id = w.s and ${sessionConditions(request.viewer, request.filter)}) as open
      from jsonb_to_recordset(${stretches}::text::jsonb) as w(s uuid, a bigint, b bigint) offset 0
    ) stretch, lateral (
      select * from search_units where tenant_id = ${request.viewer.tenantId} and level = ${request.level}
        and session_id = stretch.s and first_seq between stretch.a and stretch.b offset 0
    ) u
    where ${usableUnit(request.viewer.tenantId)}
    order by u.session_id, u.first_seq, u.part`.toStatement()
  const rows = await sql.unsafe<
    {
      session_id: string
      first_seq: string
      part: number
      term_count: number
      at: number
      role: Role
      kind: string
      traits: number
      frequencies: string
      eligible: boolean
    }[]
  >(statement.text, statement.values)
  return rows.map((row) => ({
    sessionId: row.session_id,
    seq: Number(row.first_seq),
    part: row.part,
    termCount: row.term_count,
    timestampMs: row.at,
    role: row.role,
    kind: row.kind,
    traits: row.traits,
    frequencies: row.frequencies === '' ? [] : row.frequencies.split(',').map(Number),
    eligible: row.eligible,
  }))
}
