import { UnavailableError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import type { VectorIndex } from '../ports/vector-index.ts'
import { queueArchive } from '../store/archive/archive-queue.ts'
import type { Database } from '../store/database.ts'
import { forgetVectors, modelsIn, remoteVectors, type RemoteVectors } from '../store/erasure/erased-elsewhere.ts'
import type { ErasureItem } from '../store/erasure/erasure-work.ts'
import { addToReceipt } from '../store/erasure/receipts.ts'
import { keyPrefix } from '../store/keys/archived-keys.ts'
import { forgetArchived } from '../store/keys/resealed-rows.ts'
import { inTransaction } from '../store/transaction.ts'
import { addEmbeddingAgain } from '../store/work/add-work.ts'
import { eraseCounted, eraseUnusedCounted, type CountedObjects } from './erase-counted.ts'

export interface ErasureDependencies {
  /** As its owner sees it: what is chosen was chosen through the walls, what is erased is erased from all tables. */
  readonly database: Database
  readonly archive: ArchiveStore
  /** Undefined where the settings name none. */
  readonly index: VectorIndex | undefined
}

const vectorsAtOnce = 1_000

/**
 * Erases what is outside of the database, after the rows are gone. Every part may be repeated. Throws UnavailableError where
 * something does not answer: the item stays, and is taken again.
 */
export async function eraseOutside(dependencies: ErasureDependencies, item: ErasureItem): Promise<void> {
  const { database } = dependencies
  const { tenantId, sessionId, details } = item
  await eraseArchived(dependencies, item)
  await eraseRemoteVectors(dependencies, item)
  if (details.whole || details.isHeld) return
  // What is left of a session is archived anew, from its first message on; what somebody has archived of it meanwhile was erased as well.
  await database.run((sql) =>
    inTransaction(sql, async (transaction) => {
      await forgetArchived(transaction, item)
      await queueArchive(transaction, [{ tenantId, sessionId }], 0)
    }),
  )
}

async function eraseArchived({ database, archive }: ErasureDependencies, item: ErasureItem): Promise<void> {
  const { tenantId, sessionId, details } = item
  const stores = { database, archive }
  const erase = (name: string, as: CountedObjects) => eraseCounted(stores, item, { name, as })
  if (!details.isHeld) await erase(`${tenantId}/${sessionId}/`, 'archive_objects')
  if (details.whole && !details.isHeld) await erase(keyPrefix(tenantId, sessionId), 'archived_keys')
  for (const file of details.files) await erase(`${tenantId}/files/${file}/`, 'archive_objects')
  for (const location of details.payloads) await eraseUnusedCounted(stores, item, location)
}

async function eraseRemoteVectors({ database, index }: ErasureDependencies, item: ErasureItem): Promise<void> {
  const { tenantId, sessionId, details } = item
  const removed: number[] = []
  let after: RemoteVectors | undefined
  for (;;) {
    const page = { after, limit: vectorsAtOnce }
    const found = await database.run((sql) => remoteVectors(sql, item, page))
    if (found === undefined) break
    if (index?.name !== found.index)
      throw new UnavailableError(`Cannot erase the vectors in ${found.index} as VERBATIM_VECTORS does not name it`, {
        remedy: 'Start once with the settings of that index, so that what is pending is erased there',
      })
    const space = { tenantId, modelId: found.modelId, dimensions: found.dimensions }
    await index.delete(space, found.keys, callOptions())
    await database.run((sql) =>
      inTransaction(sql, async (transaction) => {
        const vectors = await forgetVectors(transaction, item, found)
        const key = { tenantId, erasureId: details.erasure }
        await addToReceipt(transaction, key, { erased: { vectors } })
      }),
    )
    removed.push(...found.keys.map(({ firstSeq }) => firstSeq))
    after = found
  }
  // What is made anew may have been made while the former one was removed, and with it: what has its vector is passed over.
  if (!details.whole && removed.length > 0) {
    const stretch = { tenantId, sessionId, firstSeq: Math.min(...removed), lastSeq: Math.max(...removed) }
    await database.run((sql) => addEmbeddingAgain(sql, tenantId, [stretch]))
  }
  if (index === undefined || index.kind === 'pgvector' || !details.whole || details.isHeld) return
  // Vectors that were written and never noted, as their writer died in between.
  for (const model of await database.run((sql) => modelsIn(sql, tenantId, index.name)))
    await index.deleteSession({ tenantId, ...model }, sessionId, callOptions())
}

function callOptions(): { readonly signal: AbortSignal } {
  return { signal: AbortSignal.timeout(limits.erasureRequestMs) }
}
