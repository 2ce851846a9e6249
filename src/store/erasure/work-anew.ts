import type { SessionKey } from '../messages.ts'
import type { Queries } from '../rows.ts'

/** Messages of a session that are to be worked on. */
interface Place extends SessionKey {
  readonly firstSeq: number
  readonly lastSeq: number
}

/** Adds work also where such work is pending: that may be under way, and have read what was there before. */
export async function addWorkAnew(sql: Queries, topic: string, places: readonly Place[]): Promise<void> {
  const rows = JSON.stringify(places.map(({ tenantId: t, sessionId: s, firstSeq: f, lastSeq: l }) => ({ t, s, f, l })))
  await sql`
    insert into outbox (tenant_id, topic, session_id, first_seq, last_seq)
    select t, ${topic}, s, f, l from jsonb_to_recordset(${rows}::text::jsonb) as work(t int, s uuid, f bigint, l bigint)`
}
