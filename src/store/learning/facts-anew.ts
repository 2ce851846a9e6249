import { patterns } from '../../model/extractors.ts'
import { andUsableFact } from '../access/usable.ts'
import type { SessionKey } from '../messages.ts'
import { learnAnewTopic } from '../outbox.ts'
import type { Queries } from '../rows.ts'

/** The condition on `facts` that another version of the patterns found them, and nobody has changed them by hand. */
const areEarlier = (sql: Queries, madeBy: string) => sql`
  facts.made_by <> ${madeBy} and split_part(facts.made_by, '/', 1) = ${patterns} and facts.changed_at is null`

/**
 * Leaves sessions with facts that another version of the patterns found to be read again, so many at once. Returns how many. What failed for good
 * is tried again.
 */
export async function leaveToLearnAnew(
  sql: Queries,
  tenantId: number,
  { madeBy, limit }: { readonly madeBy: string; readonly limit: number },
): Promise<number> {
  const rows = await sql`
    with failed as (
      delete from outbox where tenant_id = ${tenantId} and topic = ${learnAnewTopic} and dead_at is not null
    )
    insert into outbox (tenant_id, topic, session_id, first_seq, last_seq)
    select tenant_id, ${learnAnewTopic}, id, 1, last_seq from sessions
    where tenant_id = ${tenantId} and last_seq > 0 and id in (
        select session_id from facts where tenant_id = ${tenantId} and ${areEarlier(sql, madeBy)} ${andUsableFact(sql, tenantId)})
      and not exists (
        select from outbox waiting where waiting.tenant_id = ${tenantId} and waiting.topic = ${learnAnewTopic}
          and waiting.session_id = sessions.id and waiting.dead_at is null)
    order by last_active_at limit ${limit} returning id`
  return rows.length
}

/** Removes of some messages what another version of the patterns found in them, and nobody has changed by hand. */
export async function dropEarlierFacts(
  sql: Queries,
  { tenantId, sessionId }: SessionKey,
  { madeBy, seqs }: { readonly madeBy: string; readonly seqs: readonly number[] },
): Promise<void> {
  await sql`
    with gone as (
      delete from facts where tenant_id = ${tenantId} and session_id = ${sessionId} and ${areEarlier(sql, madeBy)}
        and id in (select fact_id from fact_sources where tenant_id = ${tenantId} and session_id = ${sessionId}
          and seq in (select jsonb_array_elements_text(${JSON.stringify(seqs)}::text::jsonb)::bigint))
      returning id)
    delete from fact_sources where tenant_id = ${tenantId} and fact_id in (select id from gone)`
}
