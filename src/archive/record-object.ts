import { ConflictError } from '../errors.ts'
import { sha256 } from '../model/payload.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import type { Database } from '../store/database.ts'
import type { Transaction } from '../store/rows.ts'
import { inTransaction } from '../store/transaction.ts'

export interface Recording {
  /** Whether what the object holds is still in the store; until the transaction ends it stays there. */
  readonly isThere: (sql: Transaction) => Promise<boolean>
  readonly write: (sql: Transaction) => Promise<void>
}

/** An object that was put, or found where it was to be put. */
interface PutObject {
  readonly location: string
  readonly bytes: Uint8Array
}

/**
 * Records an object that was put. Where what it holds was erased meanwhile, it goes again and a ConflictError says so: whoever
 * erased may have looked through the archive before the object was there. Or after that, and what is left may be archived under
 * the same name by now: that stays.
 */
export async function recordObject(
  { database, archive }: { readonly database: Database; readonly archive: ArchiveStore },
  { location, bytes }: PutObject,
  { isThere, write }: Recording,
): Promise<void> {
  const isRecorded = await database.run((sql) =>
    inTransaction(sql, async (transaction) => {
      if (!(await isThere(transaction))) return false
      await write(transaction)
      return true
    }),
  )
  if (isRecorded) return
  const found = await archive.get(location)
  if (found !== undefined && sha256(found).equals(sha256(bytes))) await archive.erase(location)
  throw new ConflictError(`Cannot archive into "${location}" as what it holds was erased meanwhile`, {
    remedy: 'Nothing is to be done: what is left is archived anew',
  })
}
