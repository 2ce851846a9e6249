import type { TransactionSql } from 'postgres'

import type { Database } from '../database.ts'
import type { Queries } from '../rows.ts'
import { inTransaction } from '../transaction.ts'

/** The work of making messages searchable. */
export const indexTopic = 'index'

/** The work of making messages findable by meaning, and of learning from them. */
export const embedTopic = 'embed'
export const learnTopic = 'learn'
export const learnByModelTopic = 'learn_by_model'

/** The work of finding anew what an earlier version has found by patterns. */
export const learnAnewTopic = 'learn_anew'

/** One piece of pending work on a stretch of a session's messages. */
export interface OutboxItem {
  readonly id: number
  readonly tenantId: number
  readonly sessionId: string
  readonly firstSeq: number
  readonly lastSeq: number
  readonly attempts: number
}

/** During an import the newest few items go first, so that a message saved just now is found although thousands wait. */
const newestFirst = 10

/** Does several writes together, or none. */
export type Commit = (write: (sql: TransactionSql) => Promise<void>) => Promise<void>

/**
 * Gives pending work of a topic to `work`: the newest few items, then the oldest. What `work` commits is done once, whoever
 * else works at the same topic:
 *
 * - On a server each item is locked until `work` ends. Others pass over it (SKIP LOCKED), and a worker that is killed gives
 *   it back at once. What is committed takes effect when `work` has ended.
 * - The embedded store has one worker, and serves nobody else while a transaction is open: nothing is locked there, and
 *   each commit takes effect at once.
 *
 * What is made from an item has keys derived from what it stands for, so that doing it twice has the effect of once.
 */
export async function workOff<T>(
  database: Database,
  wanted: { readonly topic: string; readonly limit: number },
  work: (items: readonly OutboxItem[], commit: Commit) => Promise<T>,
): Promise<T> {
  if (database.kind === 'embedded') {
    const items = await database.run((sql) => pendingOutbox(sql, wanted))
    return await work(items, async (write) => {
      await database.run((sql) => inTransaction(sql, write))
    })
  }
  return await database.run((sql) =>
    inTransaction(sql, async (transaction) => {
      const items = await pendingOutbox(transaction, { ...wanted, lock: true })
      return await work(items, (write) => inSavepoint(transaction, write))
    }),
  )
}

/** A write that fails takes back itself and nothing else, so that the failure can be written down. */
async function inSavepoint(transaction: TransactionSql, write: (sql: TransactionSql) => Promise<void>): Promise<void> {
  await transaction`savepoint work`
  try {
    await write(transaction)
  } catch (error) {
    await transaction`rollback to savepoint work`
    throw error
  }
  await transaction`release savepoint work`
}

async function pendingOutbox(
  sql: Queries,
  { topic, limit, lock = false }: { readonly topic: string; readonly limit: number; readonly lock?: boolean },
): Promise<OutboxItem[]> {
  const locking = lock ? sql`for update skip locked` : sql``
  const rows = await sql<
    { id: string; tenant_id: number; session_id: string; first_seq: string; last_seq: string; attempts: number }[]
  >`
    with newest as materialized (
      select * from outbox where topic = ${topic} and dead_at is null and available_at <= now()
      order by id desc limit ${newestFirst} ${locking}
    ), oldest as materialized (
      select * from outbox where topic = ${topic} and dead_at is null and available_at <= now()
      order by id limit ${limit} ${locking}
    )
    select id, tenant_id, session_id, first_seq, last_seq, attempts from newest
    union select id, tenant_id, session_id, first_seq, last_seq, attempts from oldest
    order by id desc`
  return rows.map((row) => ({
    id: Number(row.id),
    tenantId: row.tenant_id,
    sessionId: row.session_id,
    firstSeq: Number(row.first_seq),
    lastSeq: Number(row.last_seq),
    attempts: row.attempts,
  }))
}

export async function finishOutbox(sql: Queries, ids: readonly number[]): Promise<void> {
  await sql`delete from outbox where id in (select jsonb_array_elements_text(${JSON.stringify(ids)}::text::jsonb)::bigint)`
}

/** Puts what is before a message behind an item, so that a long one is worked off in bounded pieces: attempts at that count no more. */
export async function advanceOutbox(sql: Queries, id: number, firstSeq: number): Promise<void> {
  await sql`update outbox set first_seq = ${firstSeq}, attempts = 0 where id = ${id}`
}

/** The newest work of a topic, by number: what a reader waits for. 0 where nothing is pending. */
export async function newestOutboxId(sql: Queries, tenantId: number, topic: string): Promise<number> {
  const rows = await sql<{ newest: string | null }[]>`
    select max(id) as newest from outbox where tenant_id = ${tenantId} and topic = ${topic} and dead_at is null`
  return Number(rows[0]?.newest ?? 0)
}

/** The number of the oldest work of a topic that is to be done now; undefined where there is none. */
export async function oldestOutboxId(sql: Queries, tenantId: number, topic: string): Promise<number | undefined> {
  const rows = await sql<{ oldest: string | null }[]>`
    select min(id) as oldest from outbox
    where tenant_id = ${tenantId} and topic = ${topic} and dead_at is null and available_at <= now()`
  const oldest = rows[0]?.oldest ?? null
  return oldest === null ? undefined : Number(oldest)
}

/**
 * How many messages wait in a topic up to a piece of work, and how much of it has failed for good. Work that was put off
 * after a failure counts where `waiting` is true.
 */
export async function outboxBacklog(
  sql: Queries,
  tenantId: number,
  work: { readonly topic: string; readonly upTo?: number; readonly waiting?: boolean },
): Promise<{ messages: number; dead: number }> {
  const rows = await sql<{ messages: string; dead: string }[]>`
    select coalesce(sum(last_seq - first_seq + 1) filter (where dead_at is null), 0) as messages,
      count(*) filter (where dead_at is not null) as dead
    from outbox where tenant_id = ${tenantId} and topic = ${work.topic} ${work.waiting === true ? sql`` : sql`and (dead_at is not null or available_at <= now())`} ${work.upTo === undefined ? sql`` : sql`and id <= ${work.upTo}`}`
  return { messages: Number(rows[0]?.messages ?? 0), dead: Number(rows[0]?.dead ?? 0) }
}

/** Leaves work for later without counting it as an attempt: what failed was not the work. */
export async function postponeOutbox(
  sql: Queries,
  ids: readonly number[],
  reason: { readonly error: string; readonly delayMs: number },
): Promise<void> {
  await sql`
    update outbox set last_error = ${reason.error.slice(0, 500)}, available_at = now() + ${reason.delayMs} * interval '1 millisecond'
    where id in (select jsonb_array_elements_text(${JSON.stringify(ids)}::text::jsonb)::bigint)`
}

/** Why the work of a topic that was put off waits; undefined where none does. */
export async function waitingReason(sql: Queries, tenantId: number, topic: string): Promise<string | undefined> {
  const rows = await sql<{ last_error: string }[]>`
    select last_error from outbox
    where tenant_id = ${tenantId} and topic = ${topic} and dead_at is null and available_at > now() and last_error is not null
    limit 1`
  return rows[0]?.last_error
}

/** Milliseconds until work of a topic that was put off is due, and a little more, as timers end early; undefined where none was. */
export async function msUntilDue(sql: Queries, topic: string): Promise<number | undefined> {
  const rows = await sql<{ ms: number | null }[]>`
    select ceil(extract(epoch from min(available_at) - now()) * 1000)::float8 + 1 as ms from outbox
    where topic = ${topic} and dead_at is null and available_at > now()`
  return rows[0]?.ms ?? undefined
}

/** Makes work that was put off due at once: what it waited for may be another now. */
export async function dueAtOnce(sql: Queries, topic: string): Promise<void> {
  await sql`update outbox set available_at = now() where topic = ${topic} and dead_at is null and available_at > now()`
}
