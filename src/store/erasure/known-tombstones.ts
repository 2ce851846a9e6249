import { tombstonePrefix } from '../../model/messages/tombstone.ts'
import type { Queries } from '../rows.ts'

/** Which ids of sessions or messages have a tombstone, with the erasure that it is of. */
export async function erasuresOfIds(
  sql: Queries,
  tenantId: number,
  { kind, ids }: { readonly kind: keyof typeof tombstonePrefix; readonly ids: readonly string[] },
): Promise<ReadonlyMap<string, string>> {
  const rows = await sql<{ id: string; erasure_id: string }[]>`
    select id, erasure_id from jsonb_array_elements_text(${JSON.stringify(ids)}::text::jsonb) id
      join tombstones on tenant_id = ${tenantId} and kind = ${kind}
        and hash = sha256(convert_to(${tombstonePrefix[kind]} || id, 'UTF8'))`
  return new Map(rows.map((row) => [row.id, row.erasure_id]))
}

/** What is in the store although it was erased or anonymised, as where an older copy of the database was put back. */
export interface ReturnedSession {
  readonly id: string
  /** Empty where the session itself was erased. */
  readonly seqs: readonly number[]
  readonly isAnonymised: boolean
}

/** Reads every message of the tenant, or of one session. */
export async function returnedSessions(sql: Queries, tenantId: number, sessionId?: string): Promise<ReturnedSession[]> {
  const isWanted = (column: string) => (sessionId === undefined ? sql`` : sql`and ${sql(column)} = ${sessionId}`)
  const messagesWith = (kind: 'message' | 'anonymised') => sql`
    from messages m join tombstones t on t.tenant_id = m.tenant_id and t.kind = ${kind}
      and t.hash = sha256(convert_to(${tombstonePrefix[kind]} || m.id::text, 'UTF8'))
    where m.tenant_id = ${tenantId} and m.kind <> 'erased' ${isWanted('m.session_id')}`
  const rows = await sql<{ id: string; seqs: readonly number[] | null; anonymised: boolean }[]>`
    select distinct s.id, null::jsonb as seqs, false as anonymised from sessions s join tombstones t on t.tenant_id = s.tenant_id and t.kind = 'session'
      and t.hash = sha256(convert_to(${tombstonePrefix.session} || s.id::text, 'UTF8'))
    where s.tenant_id = ${tenantId} ${isWanted('s.id')}
    union all
    select m.session_id, jsonb_agg(distinct m.seq), false ${messagesWith('message')} group by m.session_id
    union all
    select m.session_id, jsonb_agg(distinct m.seq), true ${messagesWith('anonymised')} and m.anonymized_at is null
    group by m.session_id`
  const whole = new Set(rows.filter(({ seqs }) => seqs === null).map(({ id }) => id))
  return rows.flatMap(({ id, seqs, anonymised }) =>
    seqs !== null && whole.has(id) ? [] : [{ id, seqs: seqs ?? [], isAnonymised: anonymised }],
  )
}
