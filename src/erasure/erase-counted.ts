import { askWhileLocked } from '../capture/ask-while-locked.ts'
import { eraseUnused, isInArchive } from '../capture/held-payloads.ts'
import type { ArchiveStore, ErasedObjects } from '../ports/archive-store.ts'
import type { Database } from '../store/database.ts'
import { dropNotes, lockErasure, lockNoting, noteErasure, type ErasureItem } from '../store/erasure/erasure-work.ts'
import { lockPayloads } from '../store/erasure/lock-payloads.ts'
import { addToReceipt, type ErasedCounts } from '../store/erasure/receipts.ts'
import type { Transaction } from '../store/rows.ts'
import { inTransaction } from '../store/transaction.ts'

export type CountedObjects = keyof Pick<ErasedCounts, 'archive_objects' | 'archived_keys'>

interface Stores {
  readonly database: Database
  readonly archive: ArchiveStore
}

/** Another one has finished a piece of work, or has taken it as it was not renewed in time. */
export class TakenOver extends Error {
  override readonly name = 'TakenOver'
}

/**
 * Erases an object of the archive, or all below a folder, and counts each once in the receipt, wherever it is killed and whoever else
 * is at the same work. What is about to go is noted with the work. It is counted, and noted no more, in one transaction: after it
 * has gone, or, after a kill, when it is looked for and not there. Only whoever has taken the work last may note and count: another one
 * that was slower would note what this one has counted by then. It is told by TakenOver, before it erases anything more.
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
 * Erases a large payload where no message of any tenant uses it, and counts it once, whoever else is at it: messages of several sessions may
 * have had it. It goes in the transaction that counts it, in which nobody else begins to use it. No more than one piece of work has a
 * note of it: whoever finds it gone counts it by that alone.
 */
export async function eraseUnusedCounted(
  { database, archive }: Stores,
  item: ErasureItem,
  location: string,
): Promise<void> {
  // Fails here, and not in a transaction, where the archive does not answer.
  if (await isInArchive(archive, location))
    await database.run((sql) => inTransaction(sql, (own) => notePayload(own, { archive, item, location })))
  await database.run((sql) =>
    inTransaction(sql, async (transaction) => {
      const done = await eraseUnused(transaction, archive, location)
      await countPayload(transaction, item, { location, done })
    }),
  )
}

/** Where another one has a note of it, or has erased it since it was looked for, there is none to be had. */
async function notePayload(
  sql: Transaction,
  {
    archive,
    item,
    location,
  }: { readonly archive: ArchiveStore; readonly item: ErasureItem; readonly location: string },
): Promise<void> {
  await lockPayloads(sql, [location], 'exclusive')
  if ((await lockNoting(sql, item.id, location)).length > 0) return
  if (await askWhileLocked(() => isInArchive(archive, location)))
    await changeNotedIn(sql, item, (going) => ({ going: [...going, location] }))
}

/** `done` is undefined where a message uses it. The payload is locked. */
async function countPayload(
  sql: Transaction,
  item: ErasureItem,
  { location, done }: { readonly location: string; readonly done: ErasedObjects | undefined },
): Promise<void> {
  const noting = await lockNoting(sql, item.id, location)
  // Who has it by now finds it noted.
  if ((await lockErasure(sql, item)) === undefined) throw new TakenOver()
  const isOurs = done !== undefined && done.kept.length === 0 && (done.erased > 0 || noting.includes(item.id))
  // Counted here, it is not for others any more that have a note of it.
  await dropNotes(sql, isOurs ? noting : [item.id], location)
  await changeNotedIn(sql, item, (going) => ({
    going,
    erased: { large_payloads: isOurs ? 1 : 0 },
    keptObjects: done?.kept ?? [],
  }))
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

async function changeNotedIn(sql: Transaction, claimed: ErasureItem, change: ChangeOfNoted): Promise<void> {
  const item = await lockErasure(sql, claimed)
  if (item === undefined) throw new TakenOver()
  const { id, tenantId } = item
  const { details } = item
  const { going, ...addition } = change(details.going)
  if (going.length !== details.going.length) await noteErasure(sql, id, { ...details, going: [...going] })
  if (Object.values(addition.erased ?? {}).some((count) => count > 0) || (addition.keptObjects?.length ?? 0) > 0)
    await addToReceipt(sql, { tenantId, erasureId: details.erasure }, addition)
}
