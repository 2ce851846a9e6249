import type { Queries } from '../rows.ts'
import { addOutboxAgain, type Stretch } from '../work/add-work.ts'

/** The work of looking for names in messages by a model. */
export const namesTopic = 'names'

/** Whether a model is to look for names anywhere, now or later, in any tenant. */
export async function hasNameWork(sql: Queries): Promise<boolean> {
  const rows = await sql`select from outbox where topic = ${namesTopic} and dead_at is null limit 1`
  return rows.length > 0
}

/** Why the model is waited for; undefined where it is not, as where a conversation goes on. All reasons of providers begin alike. */
export async function modelReason(sql: Queries, tenantId: number): Promise<string | undefined> {
  const rows = await sql<{ last_error: string }[]>`
    select last_error from outbox
    where tenant_id = ${tenantId} and topic = ${namesTopic} and dead_at is null and available_at > now() and last_error like 'Cannot use %'
    limit 1`
  return rows[0]?.last_error
}

/** Gives stretches as work to a model that looks for names, where one has looked through messages of the tenant before. */
export async function lookForNamesAgain(sql: Queries, tenantId: number, work: readonly Stretch[]): Promise<void> {
  const rows = await sql`select from message_names where tenant_id = ${tenantId} limit 1`
  if (rows.length > 0) await addOutboxAgain(sql, namesTopic, work)
}
