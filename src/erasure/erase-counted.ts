import type { ArchiveStore } from '../ports/archive-store.ts'
import type { Database } from '../store/database.ts'
import { lockErasure, noteErasure, type ErasureItem } from '../store/erasure/erasure-work.ts'
import { addToReceipt, type ErasedCounts } from '../store/erasure/receipts.ts'
import { inTransaction } from '../store/transaction.ts'

export type CountedObjects = keyof Pick<ErasedCounts, 'archive_objects' | 'large_payloads' | 'archived_keys'>

interface Stores {
  readonly database: Database
  readonly archive: ArchiveStore
}

interface CountedErasure {
  readonly name: string
  readonly as: CountedObjects
  /** Puts again what was erased where it is needed after all, which is then not counted. */
  readonly bringBack?: () => Promise<boolean>
}

/**
 * Erases an object of the archive, or all below a folder, and counts each once in the receipt, wherever it is killed and whoever else
 * is at the same work. What is about to go is noted with the work. It is counted, and noted no more, in one transaction: after it
 * has gone, or, after a kill, when it is looked for and not there.
 */
export async function eraseCounted(
  { database, archive }: Stores,
  item: ErasureItem,
  { name, as, bringBack = () => Promise.resolve(false) }: CountedErasure,
): Promise<void> {
  const isBelow = (noted: string) => (name.endsWith('/') ? noted.startsWith(name) : noted.split(' ')[0] === name)
  const { kept } = await archive.erase(name, {
    before: (names) => changeNoted(database, item, (going) => ({ going: [...new Set([...going, ...names])] })),
    after: async ({ names, gone }) => {
      const [lot, counted] = [new Set(names), new Set((await bringBack()) ? [] : gone)]
      await changeNoted(database, item, (going) => ({
        going: going.filter((noted) => !lot.has(noted)),
        erased: { [as]: going.filter((noted) => counted.has(noted)).length },
      }))
    },
  })
  // What is there was found and is settled: what is noted still was erased by who died.
  await changeNoted(database, item, (going) => ({
    going: going.filter((noted) => !isBelow(noted)),
    erased: { [as]: going.filter(isBelow).length },
    keptObjects: kept,
  }))
}

interface NotedChange {
  readonly going: readonly string[]
  readonly erased?: Partial<ErasedCounts>
  readonly keptObjects?: readonly string[]
}

async function changeNoted(
  database: Database,
  { id, tenantId }: ErasureItem,
  change: (going: readonly string[]) => NotedChange,
): Promise<void> {
  await database.run((sql) =>
    inTransaction(sql, async (transaction) => {
      const item = await lockErasure(transaction, id)
      // Another one may have finished it meanwhile, and counted what it erased.
      if (item === undefined) return
      const { details } = item
      const { going, ...addition } = change(details.going)
      if (going.length !== details.going.length) await noteErasure(transaction, id, { ...details, going: [...going] })
      if (Object.values(addition.erased ?? {}).some((count) => count > 0) || (addition.keptObjects?.length ?? 0) > 0)
        await addToReceipt(transaction, { tenantId, erasureId: details.erasure }, addition)
    }),
  )
}
