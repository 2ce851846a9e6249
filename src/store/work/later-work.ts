import type { Queries } from '../rows.ts'

/** A message of a tenant by its place. */
export interface LaterMessage {
  readonly sessionId: string
  readonly seq: number
}

/** Adds work on single messages that is done after a time, and says why not now. None of which some waits already. */
export async function addLater(
  sql: Queries,
  topic: string,
  {
    tenantId,
    messages,
    error,
    delayMs,
  }: {
    readonly tenantId: number
    readonly messages: readonly LaterMessage[]
    readonly error: string
    readonly delayMs: number
  },
): Promise<void> {
  const places = JSON.stringify(messages.map(({ sessionId: s, seq: n }) => ({ s, n })))
  await sql`
    insert into outbox (tenant_id, topic, session_id, first_seq, last_seq, last_error, available_at)
    select ${tenantId}::int, ${topic}, s, n, n, ${error.slice(0, 500)}, now() + ${delayMs} * interval '1 millisecond'
    from jsonb_to_recordset(${places}::text::jsonb) as places(s uuid, n bigint)
    where not exists (
      select from outbox waiting where waiting.tenant_id = ${tenantId} and waiting.topic = ${topic} and waiting.session_id = s
        and waiting.first_seq <= n and waiting.last_seq >= n and waiting.dead_at is null)`
}
