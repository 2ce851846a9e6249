import { UnavailableError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Log } from '../log.ts'
import { idMark } from '../model/messages/tombstone.ts'
import type { Database } from '../store/database.ts'
import { readEntryMemory, rememberEntries, type EntryMemory } from '../store/erasure/entry-marks.ts'
import { erasePiece, payloadLocations, type LockedSession } from '../store/erasure/erase-rows.ts'
import { cleanSession, eraseSessionRow, noteErasedHead, noteErasedMessages } from '../store/erasure/erase-session.ts'
import type { Stretch } from '../store/erasure/erasure-plan.ts'
import type { ErasureDetails, ErasureItem } from '../store/erasure/erasure-work.ts'
import { findHead, isSameHead, type FoundHead } from '../store/erasure/lasting-head.ts'
import { addToReceipt, type ErasedCounts } from '../store/erasure/receipts.ts'
import { addTombstones, ownTombstoneKey, tombstonesOf } from '../store/erasure/tombstones.ts'
import type { Transaction } from '../store/rows.ts'
import { nextPiece } from './erasure-pieces.ts'
import { receiptOf, takeStep } from './take-step.ts'

/**
 * Erases the rows of one piece of work, a bounded number of messages a transaction, and gives the item as it is then: what it
 * has done is written with it, so that it goes on wherever it was interrupted. Undefined where another one has finished it or has it by now.
 */
export async function eraseRows(database: Database, item: ErasureItem, log?: Log): Promise<ErasureItem | undefined> {
  let current: ErasureItem | undefined = item
  while (current !== undefined && !current.details.rowsErased) {
    const memory = await entryMemory(database, item, log)
    const head = await findHead(database, item)
    current = await takeStep(database, item, (sql, now, session) =>
      erasePieceOf(sql, now, { session, memory, head, log }),
    )
    if (head.problem !== undefined && current?.details.rowsErased === true && !current.details.whole)
      log?.warn(`other stores will not know when session ${item.sessionId} was held or released: ${head.problem}`)
  }
  return current
}

/** What its entries are remembered with; nothing where a key cannot be had, as what was asked to be erased is to go all the same. */
async function entryMemory(database: Database, item: ErasureItem, log?: Log): Promise<EntryMemory | undefined> {
  try {
    return await readEntryMemory(database, item)
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error
    log?.warn(`entries of session ${item.sessionId} will not be known when they are imported again: ${error.message}`)
    return undefined
  }
}

/** Nothing where the session has another key by now than what its entries are to be remembered with, or something else was said of it since. */
async function erasePieceOf(
  sql: Transaction,
  item: ErasureItem,
  {
    session,
    memory,
    head,
    log,
  }: {
    readonly session: LockedSession
    readonly memory: EntryMemory | undefined
    readonly head: FoundHead
    readonly log?: Log | undefined
  },
): Promise<ErasureDetails | undefined> {
  const { details } = item
  if (memory !== undefined && memory.keyVersion !== session.keyVersion) return undefined
  if (!(await isSameHead(sql, item, head))) return undefined
  const next = nextPiece(details.stretches, { lastSeq: session.lastSeq, messagesMax: limits.erasedMessagesMax })
  const payloads = new Set(details.payloads)
  if (next !== undefined) {
    const { piece } = next
    for (const location of await payloadLocations(sql, item, piece)) payloads.add(location)
    if (memory !== undefined) {
      const forgotten = await rememberEntries(sql, item, { piece, memory, erasureId: details.erasure })
      if (forgotten > 0)
        log?.warn(`${forgotten} entries of session ${item.sessionId} will not be known when they are imported again`)
    }
    const leaving = details.whole ? undefined : { erasureId: details.erasure }
    const erased = await erasePiece(sql, item, { piece, leaving })
    await noteErasedMessages(sql, item, erased.bytes ?? 0)
    await addToReceipt(sql, receiptOf(item), { erased })
  }
  const rest = next?.rest ?? []
  const progress = progressOf(details, { rest, payloads })
  if (rest.length > 0) return progress
  const { counts, files } = await eraseRest(sql, item, { session, head })
  await addToReceipt(sql, receiptOf(item), { erased: counts })
  return { ...progress, files: [...files], rowsErased: true }
}

/** How far a piece of work is, with the large payloads that may be of nobody by now. */
export function progressOf(
  details: ErasureDetails,
  { rest, payloads }: { readonly rest: readonly Stretch[]; readonly payloads: ReadonlySet<string> },
): ErasureDetails {
  const stretches = rest.map(([first, last]): [number, number] => [first, last])
  return { ...details, stretches, payloads: [...payloads], hasBegun: true }
}

/** What is left of a session when its messages, or those that were chosen, are gone. */
async function eraseRest(
  sql: Transaction,
  item: ErasureItem,
  { session, head }: { readonly session: LockedSession; readonly head: FoundHead },
): Promise<{ readonly counts: Partial<ErasedCounts>; readonly files: readonly string[] }> {
  const erasure = { tenantId: item.tenantId, erasureId: item.details.erasure }
  if (!item.details.whole) {
    await addTombstones(sql, erasure, [{ hash: idMark('part', item.sessionId), kind: 'part' }])
    const cleaned = await cleanSession(sql, item)
    await noteErasedHead(sql, item, { erasureId: item.details.erasure, stays: head.stays })
    return cleaned
  }
  const key = await ownTombstoneKey(sql, item.tenantId)
  await addTombstones(sql, erasure, tombstonesOf(key, session))
  return await eraseSessionRow(sql, item, { session, itemId: item.id })
}
