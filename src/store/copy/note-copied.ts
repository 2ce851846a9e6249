import type { SessionKey } from '../messages.ts'
import type { Queries } from '../rows.ts'

const namesMax = 1_000

/** Adds to a session what messages that were copied into it say of who took part and with which models, and counts its bytes. */
export async function noteCopied(sql: Queries, key: SessionKey, seqs: readonly number[]): Promise<void> {
  const { tenantId, sessionId } = key
  const copied = JSON.stringify(seqs)
  const names = (column: 'sender' | 'model', known: 'participants' | 'models_used') => sql`(${sql(known)} || array(
    select ${sql(column)} from messages
    where tenant_id = ${tenantId} and session_id = ${sessionId} and kind = 'message' and ${sql(column)} is not null
      and seq in (select jsonb_array_elements_text(${copied}::text::jsonb)::bigint) and ${sql(column)} <> all(sessions.${sql(known)})
    group by ${sql(column)} order by min(seq)))[:${namesMax}::int]`
  await sql`
    update sessions set participants = ${names('sender', 'participants')}, models_used = ${names('model', 'models_used')},
      last_model = (select model from messages where tenant_id = ${tenantId} and session_id = ${sessionId} and model is not null
        order by seq desc limit 1),
      payload_bytes = (select coalesce(sum(payload_bytes), 0) from messages where tenant_id = ${tenantId} and session_id = ${sessionId})
    where tenant_id = ${tenantId} and id = ${sessionId}`
}
