import { learnByModelTopic, learnTopic } from '../outbox.ts'
import type { Queries } from '../rows.ts'

/** Whether anything is to be learned from, now or later, in any tenant. */
export async function hasLearningWork(sql: Queries): Promise<boolean> {
  const rows = await sql`
    select from outbox where topic in (${learnTopic}, ${learnByModelTopic}) and dead_at is null limit 1`
  return rows.length > 0
}
