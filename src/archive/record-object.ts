import { ConflictError } from '../errors.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import type { Database } from '../store/database.ts'
import type { Transaction } from '../store/rows.ts'
import { inTransaction } from '../store/transaction.ts'

export interface Recording {
  /** Whether what the object holds is still in the store; until the transaction ends it stays there. */
  readonly isThere: (sql: Transaction) => Promise<boolean>
  readonly write: (sql: Transaction) => Promise<void>
}

/**
 * Records an object that was put. Where what it holds was erased meanwhile, it goes again and a ConflictError says so: whoever
 * erased may have looked through the archive before the object was there.
 */
export async function recordObject(
  { database, archive }: { readonly database: Database; readonly archive: ArchiveStore },
  location: string,
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
  await archive.erase(location)
  throw new ConflictError(`Cannot archive into "${location}" as what it holds was erased meanwhile`, {
    remedy: 'Nothing is to be done: what is left is archived anew',
  })
}
