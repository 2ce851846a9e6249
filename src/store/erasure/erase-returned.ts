import type { TransactionSql } from 'postgres'

import type { Caller } from '../../model/access.ts'
import { newId } from '../../model/ids.ts'
import { lockArrivals } from '../sync/lock-arrivals.ts'
import { auditErasure } from './audit-erasure.ts'
import { addErasureWork, type ErasureWork } from './erasure-work.ts'
import { returnedSessions } from './known-tombstones.ts'
import { insertErasure } from './receipts.ts'

/**
 * Leaves to be erased what is in the store although it was erased before, and to be anonymised what was anonymised, as where an older
 * copy of a database was put back; and what more is given. With `only`, of that session alone. Returns the number of the erasure; undefined where there is nothing.
 */
export async function eraseReturned(
  sql: TransactionSql,
  caller: Caller,
  { further = [], only }: { readonly further?: readonly ErasureWork[]; readonly only?: string | undefined } = {},
): Promise<string | undefined> {
  const { tenantId } = caller
  // What is found is known by its number.
  await lockArrivals(sql, tenantId, 'exclusive')
  const returned = await returnedSessions(sql, tenantId, only)
  const sessions = [
    ...further,
    ...returned.map(({ id, seqs, isAnonymised }) => ({
      id,
      stretches: seqs.map((seq): [number, number] => [seq, seq]),
      anonymise: isAnonymised ? {} : undefined,
    })),
  ]
  if (sessions.length === 0) return undefined
  const id = newId()
  // What it repeats has tombstones of its own, which are known elsewhere or not to be.
  const scope = further.length > 0 ? 'tombstones' : 'repetition'
  const action = sessions.every(({ anonymise }) => anonymise !== undefined) ? 'anonymise' : 'erase'
  await insertErasure(sql, {
    tenantId,
    id,
    scope,
    targetHash: new Uint8Array(),
    reason: undefined,
    requestedBy: caller.principal,
    held: [],
    action,
  })
  await addErasureWork(sql, { tenantId, id }, sessions)
  await auditErasure(sql, caller, { id, scope, sessions, action })
  return id
}
