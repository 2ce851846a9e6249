import type { SessionKey } from '../messages.ts'
import type { Queries } from '../rows.ts'
import { messageLevel } from '../search/search-units.ts'

/** Whether messages of a session have vectors, of whatever model. */
export async function hasVectors(sql: Queries, { tenantId, sessionId }: SessionKey): Promise<boolean> {
  const rows = await sql`
    select from embedded_units where tenant_id = ${tenantId} and session_id = ${sessionId}
      and level = ${messageLevel} and model_id in (select id from embedding_models where tenant_id = ${tenantId}) limit 1`
  return rows.length > 0
}

/** What stands for the texts of a unit that has a vector: what it may be now, and what it is to be. */
export interface TextHash {
  readonly firstSeq: number
  readonly part: number
  readonly known: readonly string[]
  readonly wanted: string
}

/** Puts other hashes in the place of those that are known. A vector of another text is left without: its hash says what that was. */
export async function renewTextHashes(
  sql: Queries,
  { tenantId, sessionId }: SessionKey,
  hashes: readonly TextHash[],
): Promise<void> {
  const rows = hashes.map(({ firstSeq: f, part: p, known: k, wanted: w }) => ({ f, p, k, w }))
  await sql`
    update embedded_units u
    set text_sha256 = case when r.k ? encode(u.text_sha256, 'hex') then decode(r.w, 'hex') else ''::bytea end
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r(f bigint, p int, k jsonb, w text)
    where u.tenant_id = ${tenantId} and u.session_id = ${sessionId} and u.level = ${messageLevel} and u.first_seq = r.f and u.part = r.p
      and u.model_id in (select id from embedding_models where tenant_id = ${tenantId}) and u.text_sha256 <> decode(r.w, 'hex')`
}
