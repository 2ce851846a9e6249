import type { Queries } from '../rows.ts'

/** Records a failed attempt: tried again after `delayMs`, or never (`dead`), which `doctor` shows. */
export async function failOutbox(
  sql: Queries,
  id: number,
  failure: {
    readonly error: string
    readonly delayMs: number
    readonly dead: boolean
    readonly withheldBy?: string | undefined
  },
): Promise<void> {
  await sql`
    update outbox set attempts = attempts + 1, last_error = ${failure.error.slice(0, 500)},
      available_at = now() + ${failure.delayMs} * interval '1 millisecond',
      dead_at = ${failure.dead ? sql`now()` : sql`null`}, withheld_by = ${failure.withheldBy ?? null}
    where id = ${id}`
}

/** A dead piece of work on one message: it is not tried again until everything is made anew. */
export async function addDead(
  sql: Queries,
  topic: string,
  work: { readonly tenantId: number; readonly sessionId: string; readonly seq: number; readonly error: string },
): Promise<void> {
  await sql`
    insert into outbox (tenant_id, topic, session_id, first_seq, last_seq, last_error, dead_at)
    values (${work.tenantId}, ${topic}, ${work.sessionId}, ${work.seq}, ${work.seq}, ${work.error.slice(0, 500)}, now())`
}
