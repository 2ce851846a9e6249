import type { PendingQuery, Row } from 'postgres'

import type { Queries } from '../rows.ts'
import { embedTopic } from './outbox.ts'

/** A part of a session's messages; both ends included. */
export interface Stretch {
  readonly tenantId: number
  readonly sessionId: string
  readonly firstSeq: number
  readonly lastSeq: number
}

/** Adds work on stretches of sessions. What pending work covers whole is not added: it would be done and counted twice. */
export async function addOutbox(sql: Queries, topic: string, work: readonly Stretch[]): Promise<void> {
  await addWhere(sql, topic, { work, condition: notPending(sql, topic) })
}

/** Adds work on stretches of which something was changed. What is pending does not do instead: who is at it may have read them before. */
export async function addOutboxAgain(sql: Queries, topic: string, work: readonly Stretch[]): Promise<void> {
  await addWhere(sql, topic, { work, condition: sql`true` })
}

/**
 * Adds the work of making vectors of messages: where this process makes them (`embeds`), and where the tenant has a model, as on
 * a server others may make them. Where there is no model yet, the first one begins with all sessions.
 */
export async function addEmbedding(
  sql: Queries,
  work: readonly Stretch[],
  { tenantId, embeds }: { readonly tenantId: number; readonly embeds: boolean },
): Promise<void> {
  if (embeds) return await addOutbox(sql, embedTopic, work)
  // A model that is on its way may not have seen these messages.
  await lockModels(sql, tenantId, 'shared')
  await addWhere(sql, embedTopic, { work, condition: sql`${hasModel(sql)} and ${notPending(sql, embedTopic)}` })
}

/** The same for messages of which something was changed, as of `addOutboxAgain`. */
export async function addEmbeddingAgain(sql: Queries, tenantId: number, work: readonly Stretch[]): Promise<void> {
  await lockModels(sql, tenantId, 'shared')
  await addWhere(sql, embedTopic, { work, condition: hasModel(sql) })
}

function hasModel(sql: Queries): PendingQuery<Row[]> {
  return sql`exists (select from embedding_models m where m.tenant_id = t and m.state = 'current')`
}

/** Until the end of the transaction: nobody else changes which model is a tenant's current one, or looks which it is. */
export async function lockModels(sql: Queries, tenantId: number, mode: 'shared' | 'exclusive'): Promise<void> {
  const lock = mode === 'shared' ? sql`pg_advisory_xact_lock_shared` : sql`pg_advisory_xact_lock`
  await sql`select ${lock}(hashtext('embedding_models'), ${tenantId})`
}

async function addWhere(
  sql: Queries,
  topic: string,
  { work, condition }: { readonly work: readonly Stretch[]; readonly condition: PendingQuery<Row[]> },
): Promise<void> {
  const rows = JSON.stringify(work.map(({ tenantId: t, sessionId: s, firstSeq: f, lastSeq: l }) => ({ t, s, f, l })))
  await sql`
    insert into outbox (tenant_id, topic, session_id, first_seq, last_seq)
    select t, ${topic}, s, f, l from jsonb_to_recordset(${rows}::text::jsonb) as work(t int, s uuid, f bigint, l bigint)
    where ${condition}`
}

function notPending(sql: Queries, topic: string): PendingQuery<Row[]> {
  return sql`not exists (
    select from outbox pending where pending.tenant_id = t and pending.topic = ${topic} and pending.session_id = s
      and pending.first_seq <= f and pending.last_seq >= l and pending.dead_at is null)`
}

/** Adds every session of a tenant to a topic, in place of what is pending there. Returns how many messages that are. */
export async function addAllSessions(sql: Queries, tenantId: number, topic: string): Promise<number> {
  const [row] = await sql<{ messages: string | null }[]>`
    with removed as (delete from outbox where tenant_id = ${tenantId} and topic = ${topic}),
    added as (
      insert into outbox (tenant_id, topic, session_id, first_seq, last_seq)
      select tenant_id, ${topic}, id, 1, last_seq from sessions where tenant_id = ${tenantId} and last_seq > 0
      order by last_active_at
      returning last_seq)
    select sum(last_seq) as messages from added`
  return Number(row?.messages ?? 0)
}
