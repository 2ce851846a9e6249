import { learnByModelTopic, learnTopic } from '../outbox.ts'
import type { Queries } from '../rows.ts'

/** Whether anything is to be learned from, now or later, in any tenant. */
export async function hasLearningWork(sql: Queries): Promise<boolean> {
  const rows = await sql`
    select from outbox where topic in (${learnTopic}, ${learnByModelTopic}) and dead_at is null limit 1`
  return rows.length > 0
}

/** Makes what an item has from a message on an item of its own, which was never tried. */
export async function splitOutbox(sql: Queries, id: number, firstSeq: number): Promise<void> {
  await sql`
    with cut as (
      update outbox o set last_seq = ${firstSeq - 1} from outbox before
      where o.id = ${id} and before.id = o.id and o.first_seq < ${firstSeq} and o.last_seq >= ${firstSeq}
      returning o.tenant_id, o.topic, o.session_id, before.last_seq)
    insert into outbox (tenant_id, topic, session_id, first_seq, last_seq)
    select tenant_id, topic, session_id, ${firstSeq}, last_seq from cut`
}
