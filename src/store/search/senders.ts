import type { Queries } from '../rows.ts'

/** A message by its place. */
interface Place {
  readonly sessionId: string
  readonly seq: number
}

/** Who wrote some messages, by `<session id> <seq>`. */
export async function readSenders(
  sql: Queries,
  tenantId: number,
  places: readonly Place[],
): Promise<ReadonlyMap<string, string>> {
  const wanted = JSON.stringify(places.map(({ sessionId: s, seq: q }) => ({ s, q })))
  const rows = await sql<{ session_id: string; seq: string; sender: string }[]>`
    select session_id, seq, sender from jsonb_to_recordset(${wanted}::text::jsonb) as wanted(s uuid, q bigint)
    join messages on tenant_id = ${tenantId} and session_id = wanted.s and seq = wanted.q`
  return new Map(rows.map((row) => [`${row.session_id} ${row.seq}`, row.sender]))
}
