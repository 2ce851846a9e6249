import type { Queries } from '../rows.ts'
import { learnAnewTopic, learnByModelTopic, learnTopic } from '../work/outbox.ts'

/** Whether anything is to be learned from, now or later, in any tenant. */
export async function hasLearningWork(sql: Queries): Promise<boolean> {
  const rows = await sql`
    select from outbox where topic in (${learnTopic}, ${learnAnewTopic}, ${learnByModelTopic}) and dead_at is null limit 1`
  return rows.length > 0
}

/** Leaves to a model what others held their answers back to. */
export async function reviveWithheld(
  sql: Queries,
  { topic, model }: { readonly topic: string; readonly model: string },
): Promise<void> {
  await sql`
    update outbox set dead_at = null, withheld_by = null, last_error = null, attempts = 0, available_at = now()
    where topic = ${topic} and dead_at is not null and withheld_by <> ${model}`
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
