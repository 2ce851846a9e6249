import { eraseUnused } from '../capture/held-payloads.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import type { Database } from '../store/database.ts'
import { lockErasure, noteErasure, type ErasureItem } from '../store/erasure/erasure-work.ts'
import { addToReceipt, type ErasedCounts } from '../store/erasure/receipts.ts'
import type { Transaction } from '../store/rows.ts'
import { inTransaction } from '../store/transaction.ts'

export type CountedObjects = keyof Pick<ErasedCounts, 'archive_objects' | 'archived_keys'>

interface Stores {
  readonly database: Database
  readonly archive: ArchiveStore
}

/**
 * Erases an object of the archive, or all below a folder, and counts each once in the receipt, wherever it is killed and whoever else
 * is at the same work. What is about to go is noted with the work. It is counted, and noted no more, in one transaction: after it
 * has gone, or, after a kill, when it is looked for and not there.
 */
export async function eraseCounted(
  { database, archive }: Stores,
  item: ErasureItem,
  { name, as }: { readonly name: string; readonly as: CountedObjects },
): Promise<void> {
  const { kept } = await archive.erase(name, {
    before: (names) => note(database, item, names),
    after: async ({ names, gone }) => {
      const [lot, counted] = [new Set(names), new Set(gone)]
      await changeNoted(database, item, (going) => ({
        going: going.filter((noted) => !lot.has(noted)),
        erased: { [as]: going.filter((noted) => counted.has(noted)).length },
      }))
    },
  })
  // What is there was found and is settled: what is noted still was erased by who died.
  await changeNoted(database, item, (going) => ({
    going: going.filter((noted) => !isOf(name, noted)),
    erased: { [as]: going.filter((noted) => isOf(name, noted)).length },
    keptObjects: kept,
  }))
}

/**
 * Erases a large payload where no message of any tenant uses it, and counts it once. It goes in the transaction that counts it, in
 * which nobody else begins to use it.
 */
export async function eraseUnusedCounted(
  { database, archive }: Stores,
  item: ErasureItem,
  location: string,
): Promise<void> {
  // Fails here, and not in the transaction, where the archive does not answer.
  for await (const name of archive.list(location)) if (name === location) await note(database, item, [location])
  await database.run((sql) =>
    inTransaction(sql, async (transaction) => {
      const done = await eraseUnused(transaction, archive, location)
      await changeNotedIn(transaction, item, (going) => {
        const isGone = done !== undefined && done.kept.length === 0
        const wasThere = done !== undefined && (done.erased > 0 || going.some((noted) => isOf(location, noted)))
        return {
          going: going.filter((noted) => !isOf(location, noted)),
          erased: { large_payloads: isGone && wasThere ? 1 : 0 },
          keptObjects: done?.kept ?? [],
        }
      })
    }),
  )
}

/** What is noted is an object, or one version of it: its key, a blank, and what tells it from the others. */
function isOf(name: string, noted: string): boolean {
  return name.endsWith('/') ? noted.startsWith(name) : noted.split(' ')[0] === name
}

interface NotedChange {
  readonly going: readonly string[]
  readonly erased?: Partial<ErasedCounts>
  readonly keptObjects?: readonly string[]
}

type ChangeOfNoted = (going: readonly string[]) => NotedChange

async function note(database: Database, item: ErasureItem, names: readonly string[]): Promise<void> {
  await changeNoted(database, item, (going) => ({ going: [...new Set([...going, ...names])] }))
}

async function changeNoted(database: Database, item: ErasureItem, change: ChangeOfNoted): Promise<void> {
  await database.run((sql) => inTransaction(sql, (transaction) => changeNotedIn(transaction, item, change)))
}

async function changeNotedIn(sql: Transaction, { id, tenantId }: ErasureItem, change: ChangeOfNoted): Promise<void> {
  const item = await lockErasure(sql, id)
  // Another one may have finished it meanwhile, and counted what it erased.
  if (item === undefined) return
  const { details } = item
  const { going, ...addition } = change(details.going)
  if (going.length !== details.going.length) await noteErasure(sql, id, { ...details, going: [...going] })
  if (Object.values(addition.erased ?? {}).some((count) => count > 0) || (addition.keptObjects?.length ?? 0) > 0)
    await addToReceipt(sql, { tenantId, erasureId: details.erasure }, addition)
}
