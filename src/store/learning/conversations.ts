import type { SessionKey } from '../messages.ts'
import type { Queries } from '../rows.ts'

/** How a conversation stands, for who does not want to read it message by message. */
export interface Conversation {
  /** Since its newest message was saved; undefined where it has none. */
  readonly quietMs: number | undefined
  /** Messages that wait in the topic, those that were put off too. */
  readonly waiting: number
  /** Whether some of them were put off, and nobody is just working at these. */
  readonly isPutOff: boolean
}

export async function readConversation(
  sql: Queries,
  { tenantId, sessionId }: SessionKey,
  topic: string,
): Promise<Conversation> {
  const [row] = await sql<{ quiet_ms: number | null; waiting: number; is_put_off: boolean }[]>`
    select (
        select (extract(epoch from now() - saved_at) * 1000)::float8 from messages
        where tenant_id = ${tenantId} and session_id = ${sessionId} order by seq desc limit 1
      ) as quiet_ms, coalesce(sum(last_seq - first_seq + 1), 0)::int as waiting,
      exists (
        select from outbox put_off
        where put_off.tenant_id = ${tenantId} and put_off.topic = ${topic} and put_off.session_id = ${sessionId}
          and put_off.dead_at is null and put_off.available_at > now() for update skip locked
      ) as is_put_off
    from outbox where tenant_id = ${tenantId} and topic = ${topic} and session_id = ${sessionId} and dead_at is null`
  return { quietMs: row?.quiet_ms ?? undefined, waiting: row?.waiting ?? 0, isPutOff: row?.is_put_off === true }
}

/**
 * Puts off all that waits of a session in a topic, so that it is due together. It is no attempt. What others are just working at
 * is left alone. With 0 ms all of it is due.
 */
export async function postponeConversation(
  sql: Queries,
  { tenantId, sessionId, topic }: SessionKey & { readonly topic: string },
  reason: { readonly error: string; readonly delayMs: number },
): Promise<void> {
  await sql`
    update outbox set last_error = ${reason.error.slice(0, 500)}, available_at = now() + ${reason.delayMs}::float8 * interval '1 millisecond'
    where id in (
      select id from outbox
      where tenant_id = ${tenantId} and topic = ${topic} and session_id = ${sessionId} and dead_at is null
      for update skip locked)`
}
