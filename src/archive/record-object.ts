import { askWhileLocked } from '../capture/ask-while-locked.ts'
import { ConflictError, UnavailableError } from '../errors.ts'
import { newId } from '../model/ids.ts'
import { sha256 } from '../model/messages/payload.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import { queueArchive } from '../store/archive/archive-queue.ts'
import { isObjectKnown, lockObject, refuseArchiving } from '../store/archive/archive-state.ts'
import type { Database } from '../store/database.ts'
import { addArchiveRewrite } from '../store/erasure/erasure-work.ts'
import type { Transaction } from '../store/rows.ts'
import { inTransaction } from '../store/transaction.ts'

export interface Recording {
  /** Absent for what is of no session. */
  readonly subject: { readonly tenantId: number; readonly sessionId?: string }
  /** Whether what the object holds is still in the store; until the transaction ends it stays there. */
  readonly isThere: (sql: Transaction) => Promise<boolean>
  readonly write: (sql: Transaction) => Promise<void>
}

/** An object that was put, or found where it was to be put. */
interface PutObject {
  readonly location: string
  readonly bytes: Uint8Array
}

interface Stores {
  readonly database: Database
  readonly archive: ArchiveStore
}

/**
 * Records an object that was put. Where what it holds was erased meanwhile, it goes again and a ConflictError says so: whoever
 * erased may have looked through the archive before the object was there. Or after that, and what is left may be archived under
 * the same name by now: that stays.
 */
export async function recordObject(
  stores: Stores,
  object: PutObject,
  { subject, isThere, write }: Recording,
): Promise<void> {
  const { database } = stores
  const { location } = object
  const isRecorded = await database.run((sql) =>
    inTransaction(sql, async (transaction) => {
      await lockObject(transaction, location, 'shared')
      if (!(await isThere(transaction))) return false
      await write(transaction)
      return true
    }),
  )
  if (isRecorded) return
  await remove(stores, object, subject)
  throw new ConflictError(`Cannot archive into "${location}" as what it holds was erased meanwhile`, {
    remedy: 'Nothing is to be done: what is left is archived anew',
  })
}

/** Where the archive does not answer, all that it has of the session is left to be erased, and what is left of that to be archived anew. */
async function remove(
  { database, archive }: Stores,
  object: PutObject,
  { tenantId, sessionId }: Recording['subject'],
): Promise<void> {
  try {
    await database.run((sql) =>
      inTransaction(sql, (transaction) => removeUnrecorded(transaction, archive, { object, tenantId, sessionId })),
    )
  } catch (error) {
    if (!(error instanceof UnavailableError) || sessionId === undefined) throw error
    await database.run((sql) => addArchiveRewrite(sql, { tenantId, id: newId() }, { sessionId, payloads: [] }))
    database.needWork?.()
  }
}

/** Nobody records it meanwhile. Whoever has put the same under this name, or found it there, and would record it after that, is refused. */
async function removeUnrecorded(
  sql: Transaction,
  archive: ArchiveStore,
  {
    object: { location, bytes },
    tenantId,
    sessionId,
  }: { readonly object: PutObject; readonly tenantId: number; readonly sessionId: string | undefined },
): Promise<void> {
  await lockObject(sql, location, 'exclusive')
  if (await isObjectKnown(sql, tenantId, location)) return
  const isGone = await askWhileLocked(async (signal) => {
    const found = await archive.get(location)
    if (found === undefined || !sha256(found).equals(sha256(bytes))) return false
    signal.throwIfAborted()
    await archive.erase(location, undefined, signal)
    return true
  })
  if (!isGone || sessionId === undefined) return
  await refuseArchiving(sql, { tenantId, sessionId })
  await queueArchive(sql, [{ tenantId, sessionId }], 0)
}
