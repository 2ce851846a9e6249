import type { RowSeal } from '../crypto/row-seal.ts'
import { limits } from '../limits.ts'
import { idMark, isKnownByEntries } from '../model/tombstone.ts'
import type { Database } from '../store/database.ts'
import { readEntrySource, rememberEntries } from '../store/erasure/entry-marks.ts'
import { erasePiece, payloadLocations, type LockedSession } from '../store/erasure/erase-rows.ts'
import { cleanSession, eraseSessionRow, noteErasedHead, noteErasedMessages } from '../store/erasure/erase-session.ts'
import type { Stretch } from '../store/erasure/erasure-plan.ts'
import type { ErasureDetails, ErasureItem } from '../store/erasure/erasure-work.ts'
import { addToReceipt, type ErasedCounts } from '../store/erasure/receipts.ts'
import { addTombstones, ownTombstoneKey, tombstonesOf } from '../store/erasure/tombstones.ts'
import type { Transaction } from '../store/rows.ts'
import { nextPiece } from './erasure-pieces.ts'
import { receiptOf, takeStep } from './take-step.ts'

/**
 * Erases the rows of one piece of work, a bounded number of messages a transaction, and gives the item as it is then: what it
 * has done is written with it, so that it goes on wherever it was interrupted. Undefined where another one has finished it or has it by now.
 */
export async function eraseRows(database: Database, item: ErasureItem): Promise<ErasureItem | undefined> {
  const seal = await sealOfEntries(database, item)
  let current: ErasureItem | undefined = item
  while (current !== undefined && !current.details.rowsErased)
    current = await takeStep(database, item, (sql, now, session) => erasePieceOf(sql, now, { session, seal }))
  return current
}

/** What the entries of a session are hashed with, where they are to be known when they come again. */
async function sealOfEntries(database: Database, item: ErasureItem): Promise<RowSeal | undefined> {
  const { tenantId, sessionId } = item
  const session = await database.run((sql) => readEntrySource(sql, item))
  if (session === undefined || !isKnownByEntries(session.source)) return undefined
  const { version } = session
  return (await database.vault.sealsOf(tenantId, [{ sessionId, version }]))(sessionId, version)
}

async function erasePieceOf(
  sql: Transaction,
  item: ErasureItem,
  { session, seal }: { readonly session: LockedSession; readonly seal: RowSeal | undefined },
): Promise<ErasureDetails> {
  const { details } = item
  const next = nextPiece(details.stretches, { lastSeq: session.lastSeq, messagesMax: limits.erasedMessagesMax })
  const payloads = new Set(details.payloads)
  if (next !== undefined) {
    for (const location of await payloadLocations(sql, item, next.piece)) payloads.add(location)
    if (isKnownByEntries(session.source))
      await rememberEntries(sql, item, { piece: next.piece, seal, erasureId: details.erasure })
    const leaving = details.whole ? undefined : { erasureId: details.erasure }
    const erased = await erasePiece(sql, item, { piece: next.piece, leaving })
    await noteErasedMessages(sql, item, erased.bytes ?? 0)
    await addToReceipt(sql, receiptOf(item), { erased })
  }
  const rest = next?.rest ?? []
  const progress = progressOf(details, { rest, payloads })
  if (rest.length > 0) return progress
  const { counts, files } = await eraseRest(sql, item, session)
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
  session: LockedSession,
): Promise<{ readonly counts: Partial<ErasedCounts>; readonly files: readonly string[] }> {
  const erasure = { tenantId: item.tenantId, erasureId: item.details.erasure }
  if (!item.details.whole) {
    await addTombstones(sql, erasure, [{ hash: idMark('part', item.sessionId), kind: 'part' }])
    const cleaned = await cleanSession(sql, item)
    await noteErasedHead(sql, item, item.details.erasure)
    return cleaned
  }
  const key = await ownTombstoneKey(sql, item.tenantId)
  await addTombstones(sql, erasure, tombstonesOf(key, session))
  return await eraseSessionRow(sql, item, { session, itemId: item.id })
}
