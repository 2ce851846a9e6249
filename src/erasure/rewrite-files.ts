import { setTimeout as sleep } from 'node:timers/promises'

import { describeForLog, InputError, UnavailableError } from '../errors.ts'
import type { Caller } from '../model/access.ts'
import { writeAudit } from '../store/audit/audit-log.ts'
import type { Database } from '../store/database.ts'
import { rewriteFiles } from '../store/erasure/rewrite-files.ts'
import { addRewrite, claimRewrite, rewriteState } from '../store/erasure/rewrite-work.ts'
import { inTransaction } from '../store/transaction.ts'
import { failOutbox } from '../store/work/failed-work.ts'
import { finishOutbox } from '../store/work/outbox.ts'

const lookMs = 200
/** Of the owner of the store, who is given half an hour for each table. */
const leaseMs = 3 * 3_600_000

/**
 * Has the files of an embedded store written anew, and waits until they are. It is the owner of the store who does it: what
 * others ask of the engine must not take long.
 */
export async function askForRewrite(database: Database, caller: Caller): Promise<void> {
  if (database.kind === 'server')
    throw new InputError('Cannot write the files of a PostgreSQL server anew as that is for who runs it', {
      remedy: 'See "Disks" in docs/erasure.md for what they run',
    })
  await database.run((sql) =>
    inTransaction(sql, async (transaction) => {
      await addRewrite(transaction, caller.tenantId)
      await writeAudit(transaction, caller, { action: 'store.rewrite', outcome: 'ok' })
    }),
  )
  for (;;) {
    const state = await database.run((sql) => rewriteState(sql, caller.tenantId))
    if (state === 'done') return
    if (state !== 'pending')
      throw new UnavailableError(`Cannot write the files of the store anew: ${state.failure}`, {
        remedy: 'See to it that the disk has room for the largest table once more, and run it again',
      })
    await sleep(lookMs)
  }
}

/** Writes the files anew where that was asked for; false where it was not. */
export async function workOffRewrite(database: Database): Promise<boolean> {
  if (database.kind === 'server') return false
  const id = await database.run((sql) => claimRewrite(sql, leaseMs))
  if (id === undefined) return false
  try {
    await database.run(rewriteFiles)
    await database.run((sql) => finishOutbox(sql, [id]))
  } catch (error) {
    // Not again by itself: whoever asked for it is told, and asks again.
    const failure = { error: describeForLog(error), delayMs: 0, dead: true }
    await database.run((sql) => failOutbox(sql, id, failure))
  }
  return true
}
