import { earlierPatterns } from '../../model/extractors.ts'
import { andUsableFact } from '../access/usable.ts'
import type { SessionKey } from '../messages.ts'
import type { Queries } from '../rows.ts'
import { learnAnewTopic } from '../work/outbox.ts'

const numbers = (sql: Queries, seqs: readonly number[]) => sql`
  (select jsonb_array_elements_text(${JSON.stringify(seqs)}::text::jsonb)::bigint)`

/** The condition on `facts` that an earlier version of the patterns found them, and nobody has changed them by hand. */
const areEarlier = (sql: Queries) => sql`
  facts.made_by in (select jsonb_array_elements_text(${JSON.stringify(earlierPatterns)}::text::jsonb)) and facts.changed_at is null`

/** The condition on `facts` of a session that they are such, and stand in some messages of it. */
const areEarlierOf = (sql: Queries, { tenantId, sessionId }: SessionKey, seqs: readonly number[]) => sql`
  facts.tenant_id = ${tenantId} and facts.session_id = ${sessionId} and ${areEarlier(sql)} and exists (
    select from fact_sources s where s.tenant_id = ${tenantId} and s.fact_id = facts.id and s.seq in ${numbers(sql, seqs)})`

/**
 * Leaves sessions with facts that an earlier version of the patterns found to be read again, so many at once. Returns how many. What failed for
 * good in another version than `madeBy` is tried again.
 */
export async function leaveToLearnAnew(
  sql: Queries,
  tenantId: number,
  { madeBy, limit }: { readonly madeBy: string; readonly limit: number },
): Promise<number> {
  const rows = await sql`
    with failed as (
      delete from outbox where tenant_id = ${tenantId} and topic = ${learnAnewTopic} and dead_at is not null
        and withheld_by is distinct from ${madeBy}
    ), earlier as materialized (
      select session_id from facts where tenant_id = ${tenantId} and ${areEarlier(sql)} ${andUsableFact(sql, tenantId)}
      except
      select session_id from outbox
      where tenant_id = ${tenantId} and topic = ${learnAnewTopic} and (dead_at is null or withheld_by = ${madeBy})
    )
    insert into outbox (tenant_id, topic, session_id, first_seq, last_seq)
    select s.tenant_id, ${learnAnewTopic}, s.id, 1, s.last_seq
    from earlier join sessions s on s.tenant_id = ${tenantId} and s.id = earlier.session_id
    where s.last_seq > 0 order by s.last_active_at limit ${limit} returning id`
  return rows.length
}

/** Messages that patterns have read: what they found there is all that stands there. */
export interface ReadAnew {
  readonly madeBy: string
  readonly seqs: readonly number[]
  /** The numbers of those that are damaged: what was found there stays, as this version's, so that they are not read again and again. */
  readonly damaged: readonly number[]
}

/** Whether an earlier version found something in some messages that nobody has changed by hand. */
export async function hasEarlierFacts(sql: Queries, key: SessionKey, { seqs, damaged }: ReadAnew): Promise<boolean> {
  const rows = await sql`select from facts where ${areEarlierOf(sql, key, [...seqs, ...damaged])} limit 1`
  return rows.length > 0
}

/** A fact that gave way, with a place that it was told at. */
export interface GonePlace {
  readonly id: string
  readonly messageId: string
  readonly start: number
  readonly end: number
}

/** Removes of some messages what an earlier version of the patterns found in them, and nobody has changed by hand. Returns what it was. */
export async function dropEarlierFacts(
  sql: Queries,
  key: SessionKey,
  { madeBy, seqs, damaged }: ReadAnew,
): Promise<GonePlace[]> {
  if (damaged.length > 0) await sql`update facts set made_by = ${madeBy} where ${areEarlierOf(sql, key, damaged)}`
  const rows = await sql<{ id: string }[]>`delete from facts where ${areEarlierOf(sql, key, seqs)} returning id`
  if (rows.length === 0) return []
  return await sql<GonePlace[]>`
    delete from fact_sources where tenant_id = ${key.tenantId}
      and fact_id in (select jsonb_array_elements_text(${JSON.stringify(rows.map(({ id }) => id))}::text::jsonb)::uuid)
    returning fact_id as id, message_id as "messageId", span_start as start, span_end as end`
}
