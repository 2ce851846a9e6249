import { lookForNamesAgain } from '../names/name-work.ts'
import type { Queries } from '../rows.ts'
import { addEmbeddingAgain, addOutboxAgain } from '../work/add-work.ts'
import { learnTopic } from '../work/outbox.ts'

/** Gives whole sessions as work again, to be embedded, learned from and looked through for names: what has a vector of the same text is passed over. */
export async function embedAgain(
  sql: Queries,
  tenantId: number,
  sessions: readonly { readonly id: string; readonly lastSeq: number }[],
): Promise<void> {
  const work = sessions
    .filter(({ lastSeq }) => lastSeq > 0)
    .map(({ id: sessionId, lastSeq }) => ({ tenantId, sessionId, firstSeq: 1, lastSeq }))
  await addEmbeddingAgain(sql, tenantId, work)
  await addOutboxAgain(sql, learnTopic, work)
  await lookForNamesAgain(sql, tenantId, work)
}
