import type { Queries } from '../rows.ts'

/** The work of writing the files of the store anew, in the outbox. */
export const rewriteTopic = 'rewrite'

/** Leaves the files to be written anew, unless that waits already; a failure before counts no more. */
export async function addRewrite(sql: Queries, tenantId: number): Promise<void> {
  await sql`
    update outbox set available_at = now(), last_error = null, dead_at = null where tenant_id = ${tenantId} and topic = ${rewriteTopic} and last_error is not null`
  await sql`
    insert into outbox (tenant_id, topic) select ${tenantId}, ${rewriteTopic}
    where not exists (select from outbox where tenant_id = ${tenantId} and topic = ${rewriteTopic})`
}

/** Takes the work, for so long that nobody else does; undefined where none is due. */
export async function claimRewrite(sql: Queries, leaseMs: number): Promise<number | undefined> {
  const rows = await sql<{ id: string }[]>`
    update outbox set available_at = now() + ${leaseMs} * interval '1 millisecond'
    where id = (select id from outbox where topic = ${rewriteTopic} and available_at <= now() and dead_at is null order by id limit 1)
    returning id`
  return rows[0] === undefined ? undefined : Number(rows[0].id)
}

/** Gives back what somebody has taken who has ended. */
export async function giveBackRewrites(sql: Queries): Promise<void> {
  await sql`
    update outbox set available_at = now() where topic = ${rewriteTopic} and available_at > now() and dead_at is null`
}

/** What became of it: `done`, `pending`, or why it failed. */
export async function rewriteState(
  sql: Queries,
  tenantId: number,
): Promise<'done' | 'pending' | { readonly failure: string }> {
  const [row] = await sql<{ last_error: string | null }[]>`
    select last_error from outbox where tenant_id = ${tenantId} and topic = ${rewriteTopic}`
  if (row === undefined) return 'done'
  return row.last_error === null ? 'pending' : { failure: row.last_error }
}
