import type { Caller } from '../../model/access.ts'
import { countStore } from '../../store/count-store.ts'
import type { Database } from '../../store/database.ts'
import { namesTopic } from '../../store/names/name-work.ts'
import { deleteUnits } from '../../store/search/search-units.ts'
import { inTransaction } from '../../store/transaction.ts'
import { addAllSessions } from '../../store/work/add-work.ts'
import { embedTopic, indexTopic } from '../../store/work/outbox.ts'

/** `names`: what a model finds of names is no index, and is made anew in the same way. */
export type IndexKind = 'words' | 'vectors' | 'names'

/** What making an index anew would take. */
export interface ReindexPlan {
  readonly messages: number
  /** Tokens of text that would be embedded, at most: an estimate from the bytes. What has its vector is passed over. */
  readonly tokens_to_embed: number
}

/** Bytes of stored messages for a token: the JSON around the text is not embedded. */
const bytesPerToken = 4

export async function planReindex(
  database: Database,
  caller: Caller,
  kinds: readonly IndexKind[],
): Promise<ReindexPlan> {
  const { messages, payloadBytes } = await database.run((sql) => countStore(sql, caller))
  return { messages, tokens_to_embed: kinds.includes('vectors') ? Math.ceil(payloadBytes / bytesPerToken) : 0 }
}

/**
 * Makes indexes anew from the messages, in the background. Words are not found until they are indexed again; vectors stay, and
 * only what lacks one or was refused is embedded.
 */
export async function reindex(database: Database, caller: Caller, kinds: readonly IndexKind[]): Promise<void> {
  await database.run((sql) =>
    inTransaction(sql, async (transaction) => {
      if (kinds.includes('words')) {
        await deleteUnits(transaction, caller.tenantId)
        await addAllSessions(transaction, caller.tenantId, indexTopic)
      }
      // What was read is passed over.
      if (kinds.includes('names')) await addAllSessions(transaction, caller.tenantId, namesTopic)
      if (kinds.includes('vectors')) await addAllSessions(transaction, caller.tenantId, embedTopic)
    }),
  )
  database.needWork?.()
}
