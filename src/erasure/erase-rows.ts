import { limits } from '../limits.ts'
import type { Caller } from '../model/access.ts'
import { idMark } from '../model/tombstone.ts'
import { writeAudit } from '../store/audit/audit-log.ts'
import type { Database } from '../store/database.ts'
import { erasePiece, lockSession, payloadLocations, type LockedSession } from '../store/erasure/erase-rows.ts'
import { cleanSession, eraseSessionRow, noteErasedMessages } from '../store/erasure/erase-session.ts'
import { lockErasure, noteErasure, type ErasureItem } from '../store/erasure/erasure-work.ts'
import { addToReceipt, type ErasedCounts } from '../store/erasure/receipts.ts'
import { addTombstones, ownTombstoneKey, tombstonesOf } from '../store/erasure/tombstones.ts'
import type { Transaction } from '../store/rows.ts'
import { inTransaction } from '../store/transaction.ts'
import { nextPiece } from './erasure-pieces.ts'

/**
 * Erases the rows of one piece of work, a bounded number of messages a transaction, and gives the item as it is then: what it
 * has done is written with it, so that it goes on wherever it was interrupted. Undefined where another one has finished it.
 *
 * A session on legal hold is left alone; a hold that is set while its erasure is under way comes too late.
 */
export async function eraseRows(database: Database, item: ErasureItem): Promise<ErasureItem | undefined> {
  let current: ErasureItem | undefined = item
  while (current !== undefined && !current.details.rowsErased)
    current = await database.run((sql) => inTransaction(sql, (transaction) => eraseSome(transaction, item.id)))
  return current
}

async function eraseSome(sql: Transaction, itemId: number): Promise<ErasureItem | undefined> {
  const item = await lockErasure(sql, itemId)
  if (item === undefined || item.details.rowsErased) return item
  const session = await lockSession(sql, item)
  const note = async (details: ErasureItem['details']) => {
    await noteErasure(sql, itemId, details)
    return { ...item, details }
  }
  if (session === undefined) return await note({ ...item.details, stretches: [], rowsErased: true })
  if (session.legalHold && !item.details.hasBegun) {
    await addToReceipt(sql, receiptOf(item), { held: [item.sessionId] })
    return await note({ ...item.details, stretches: [], rowsErased: true, isHeld: true })
  }
  const noted = await note(await erasePieceOf(sql, item, session))
  // Of every change the audit log has a row, by which whoever keeps something sees that it is another by now.
  await writeAudit(sql, eraser(item), {
    action: 'session.erase',
    objectKind: 'session',
    objectId: item.sessionId,
    outcome: 'ok',
    reason: item.details.whole ? 'session' : 'messages',
    requestId: item.details.erasure,
  })
  return noted
}

function eraser({ tenantId }: ErasureItem): Caller {
  return { tenantId, principal: 'erasure', client: 'erasure' }
}

function receiptOf({ tenantId, details }: ErasureItem): { readonly tenantId: number; readonly erasureId: string } {
  return { tenantId, erasureId: details.erasure }
}

async function erasePieceOf(
  sql: Transaction,
  item: ErasureItem,
  session: LockedSession,
): Promise<ErasureItem['details']> {
  const { details } = item
  const next = nextPiece(details.stretches, { lastSeq: session.lastSeq, messagesMax: limits.erasedMessagesMax })
  const payloads = new Set(details.payloads)
  if (next !== undefined) {
    for (const location of await payloadLocations(sql, item, next.piece)) payloads.add(location)
    const leaving = details.whole ? undefined : { erasureId: details.erasure }
    const erased = await erasePiece(sql, item, { piece: next.piece, leaving })
    await noteErasedMessages(sql, item, erased.bytes ?? 0)
    await addToReceipt(sql, receiptOf(item), { erased })
  }
  const rest = next?.rest ?? []
  const progress = {
    ...details,
    stretches: rest.map(([first, last]): [number, number] => [first, last]),
    payloads: [...payloads],
    hasBegun: true,
  }
  if (rest.length > 0) return progress
  const { counts, files } = await eraseRest(sql, item, session)
  await addToReceipt(sql, receiptOf(item), { erased: counts })
  return { ...progress, files: [...files], rowsErased: true }
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
    return await cleanSession(sql, item)
  }
  const key = await ownTombstoneKey(sql, item.tenantId)
  await addTombstones(sql, erasure, tombstonesOf(key, session))
  return await eraseSessionRow(sql, item, { session, itemId: item.id })
}
