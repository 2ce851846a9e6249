import type { Caller } from '../model/access.ts'
import { writeAudit } from '../store/audit/audit-log.ts'
import type { Database } from '../store/database.ts'
import { lockSession, type LockedSession } from '../store/erasure/erase-rows.ts'
import { closeErasing, reopenErasing } from '../store/erasure/erasing-sessions.ts'
import { lockErasure, noteErasure, type ErasureDetails, type ErasureItem } from '../store/erasure/erasure-work.ts'
import { addToReceipt } from '../store/erasure/receipts.ts'
import type { Transaction } from '../store/rows.ts'
import { inTransaction } from '../store/transaction.ts'

/** Does a bounded part of the work on a session that is locked, and says how far it is then; undefined where it did nothing. */
export type Step = (sql: Transaction, item: ErasureItem, session: LockedSession) => Promise<ErasureDetails | undefined>

/**
 * One step of a piece of work on the rows of a session, in a transaction in which its progress is written down too. Gives the item as
 * it is then; undefined where another one has finished it or has it by now.
 *
 * A session on legal hold is left alone, as is one that has expired and that something was saved to since; what comes while the work is
 * under way comes too late, and nothing is saved then to a session that goes whole.
 */
export async function takeStep(database: Database, claimed: ErasureItem, step: Step): Promise<ErasureItem | undefined> {
  return await database.run((sql) =>
    inTransaction(sql, async (transaction) => {
      const item = await lockErasure(transaction, claimed)
      return item === undefined || item.details.rowsErased ? item : await advance(transaction, item, step)
    }),
  )
}

async function advance(sql: Transaction, item: ErasureItem, step: Step): Promise<ErasureItem> {
  const note = async (details: ErasureDetails) => {
    await noteErasure(sql, item.id, details)
    return { ...item, details }
  }
  const session = await lockSession(sql, item)
  if (session === undefined) return await note({ ...item.details, stretches: [], rowsErased: true })
  const keep = async () => {
    if (item.details.whole) await reopenErasing(sql, item.tenantId, { sessionId: item.sessionId, itemId: item.id })
    return await note({ ...item.details, stretches: [], rowsErased: true, isHeld: true })
  }
  if (session.legalHold && !item.details.hasBegun) {
    await addToReceipt(sql, receiptOf(item), { held: [item.sessionId] })
    return await keep()
  }
  const { hasBegun, lastSeq } = item.details
  if (!hasBegun && lastSeq !== undefined && session.lastSeq > lastSeq) return await keep()
  if (item.details.whole) await closeErasing(sql, item.tenantId, [item.sessionId])
  const details = await step(sql, item, session)
  if (details === undefined) return item
  const noted = await note(details)
  // Of every change the audit log has a row, by which whoever keeps something sees that it is another by now.
  await writeAudit(sql, worker(item), {
    action: details.anonymise === undefined ? 'session.erase' : 'session.anonymise',
    objectKind: 'session',
    objectId: item.sessionId,
    outcome: 'ok',
    reason: item.details.whole ? 'session' : 'messages',
    requestId: item.details.erasure,
  })
  return noted
}

function worker({ tenantId }: ErasureItem): Caller {
  return { tenantId, principal: 'erasure', client: 'erasure' }
}

export function receiptOf({ tenantId, details }: ErasureItem): {
  readonly tenantId: number
  readonly erasureId: string
} {
  return { tenantId, erasureId: details.erasure }
}
