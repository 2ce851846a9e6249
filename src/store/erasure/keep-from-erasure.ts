import type { TransactionSql } from 'postgres'

import type { SessionKey } from '../messages.ts'
import type { Queries } from '../rows.ts'

/** How often messages of a session were erased or written anew; who reads them asks before it. 0 where there is no such session. */
export async function readErasures(sql: Queries, { tenantId, sessionId }: SessionKey): Promise<number> {
  const [row] = await sql<{ erasures: number }[]>`
    select erasures from sessions where tenant_id = ${tenantId} and id = ${sessionId}`
  return row?.erasures ?? 0
}

/** How often messages of a session were erased, anonymised, restricted or released, how many of its messages were corrected, and who is restricted. */
export interface ReadingMark {
  readonly erasures: number
  readonly restrictions: number
  readonly corrections: number
  /** A hash of their names. */
  readonly restricted: string
}

/** To be read before the messages of a session are, by whoever writes of them afterwards and must know whether they are others by then. */
export async function readMark(sql: Queries, { tenantId, sessionId }: SessionKey): Promise<ReadingMark> {
  const [row] = await sql<ReadingMark[]>`
    select erasures, restrictions,
      (select count(*)::int from corrections where tenant_id = ${tenantId} and session_id = ${sessionId}) as corrections,
      (select coalesce(md5(string_agg(md5(name), '' order by name)), '') from restricted_participants where tenant_id = ${tenantId}) as restricted
    from sessions where tenant_id = ${tenantId} and id = ${sessionId}`
  return row ?? { erasures: 0, restrictions: 0, corrections: 0, restricted: '' }
}

/** Whether a session can be read as it could when a mark was taken. */
export function isSameReading(a: ReadingMark, b: ReadingMark): boolean {
  return (
    a.erasures === b.erasures &&
    a.restrictions === b.restrictions &&
    a.corrections === b.corrections &&
    a.restricted === b.restricted
  )
}

/** As `readErasures`, of some sessions; those that are not there are absent. */
export async function readErasuresOf(
  sql: Queries,
  tenantId: number,
  things: readonly { readonly sessionId: string }[],
): Promise<ReadonlyMap<string, number>> {
  const ids = JSON.stringify([...new Set(things.map(({ sessionId }) => sessionId))])
  const rows = await sql<{ id: string; erasures: number }[]>`
    select id, erasures from sessions
    where tenant_id = ${tenantId} and id in (select jsonb_array_elements_text(${ids}::text::jsonb)::uuid)`
  return new Map(rows.map(({ id, erasures }) => [id, erasures]))
}

/**
 * Keeps whoever erases away from some sessions until the transaction ends: what is made of their messages is then written
 * before an erasure, which removes it, or sees that they are gone. A save is not kept away. In one order everywhere, so that
 * two of them do not wait for each other.
 */
export async function keepFromErasure(
  sql: TransactionSql,
  tenantId: number,
  things: readonly { readonly sessionId: string }[],
): Promise<void> {
  const ids = JSON.stringify([...new Set(things.map(({ sessionId }) => sessionId))])
  await sql`
    select from sessions where tenant_id = ${tenantId} and id in (select jsonb_array_elements_text(${ids}::text::jsonb)::uuid)
    order by id for key share`
}
