import type { Queries } from '../rows.ts'

/** How much work a topic has, of all tenants together. */
export interface TopicState {
  readonly topic: string
  /** That wait, work that was put off among them. */
  readonly messages: number
  /** Pieces of work that have failed for good. */
  readonly dead: number
  /** Since the first message of the oldest work was saved; 0 where nothing waits. */
  readonly oldestSeconds: number
}

/** The state of the topics that have work, and of those that are named. Reads the whole outbox, which is short unless much waits. */
export async function outboxState(sql: Queries, topics: readonly string[]): Promise<TopicState[]> {
  const rows = await sql<{ topic: string; messages: string | null; dead: string; oldest_seconds: number | null }[]>`
    with counts as (
      select topic, sum(last_seq - first_seq + 1) filter (where dead_at is null) as messages,
        count(*) filter (where dead_at is not null) as dead, min(id) filter (where dead_at is null) as oldest
      from outbox group by topic
    )
    select counts.topic, counts.messages, counts.dead,
      extract(epoch from now() - messages.saved_at)::float8 as oldest_seconds
    from counts
    left join outbox on outbox.id = counts.oldest
    left join messages on messages.tenant_id = outbox.tenant_id and messages.session_id = outbox.session_id
      and messages.seq = outbox.first_seq`
  const found = rows.map((row) => ({
    topic: row.topic,
    messages: Number(row.messages ?? 0),
    dead: Number(row.dead),
    oldestSeconds: Math.max(row.oldest_seconds ?? 0, 0),
  }))
  const idle = topics.filter((topic) => found.every((state) => state.topic !== topic))
  return [...found, ...idle.map((topic) => ({ topic, messages: 0, dead: 0, oldestSeconds: 0 }))]
}
