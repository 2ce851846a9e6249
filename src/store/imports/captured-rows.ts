import type { Sql } from 'postgres'

/** A session of a source that is stored. */
export interface CapturedSession {
  readonly externalId: string
  readonly id: string
  /** When its newest message was saved, in milliseconds since 1970; undefined where it has none. */
  readonly capturedAtMs: number | undefined
}

/** Which sessions of a source are stored, of those that are named. Uses sessions_external_id. */
export async function capturedSessions(
  sql: Sql,
  tenantId: number,
  { source, externalIds }: { readonly source: string; readonly externalIds: readonly string[] },
): Promise<CapturedSession[]> {
  const rows = await sql<{ id: string; external_id: string; captured_ms: string | null }[]>`
    select s.id, s.external_id, (select (extract(epoch from m.saved_at) * 1000)::bigint from messages m
        where m.tenant_id = s.tenant_id and m.session_id = s.id order by m.seq desc limit 1) as captured_ms
    from jsonb_array_elements_text(${JSON.stringify(externalIds)}::text::jsonb) wanted
      join sessions s on s.tenant_id = ${tenantId} and s.source = ${source} and s.external_id = wanted`
  return rows.map((row) => ({
    externalId: row.external_id,
    id: row.id,
    capturedAtMs: row.captured_ms === null ? undefined : Number(row.captured_ms),
  }))
}

/** A message by the id that its source gave it. */
export interface CapturedRow {
  readonly sessionId: string
  readonly externalId: string
}

/** Which of some messages are stored; the place of an erased one counts. Uses messages_external_id. */
export async function capturedRows(sql: Sql, tenantId: number, rows: readonly CapturedRow[]): Promise<CapturedRow[]> {
  const wanted = rows.map(({ sessionId, externalId }) => ({ s: sessionId, e: externalId }))
  return await sql<CapturedRow[]>`
    select m.session_id as "sessionId", m.external_id as "externalId"
    from jsonb_to_recordset(${JSON.stringify(wanted)}::text::jsonb) as wanted(s uuid, e text)
      join messages m on m.tenant_id = ${tenantId} and m.session_id = wanted.s and m.external_id = wanted.e`
}
