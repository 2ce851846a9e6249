import { giveReason } from '../../model/reason.ts'
import type { Database } from '../database.ts'
import { lockSession } from '../keys/resealed-rows.ts'
import { underItsSeal } from '../keys/under-its-seal.ts'
import type { SessionKey } from '../messages.ts'
import type { Transaction } from '../rows.ts'
import { inTransaction } from '../transaction.ts'
import { keepReason } from './reasons.ts'

/**
 * Changes a session for a reason of somebody, all of it or nothing: `change` is given what stands for the reason in rows that stay, and
 * says false where there is nothing to change. Whether it is done: a second attempt, where the answer of the first was lost, finds it so.
 */
export async function changeSessionFor(
  database: Database,
  key: SessionKey,
  { words, change }: { readonly words: string; readonly change: (sql: Transaction, note: string) => Promise<boolean> },
): Promise<boolean> {
  const reason = giveReason(words)
  const outcome = { attempts: 0, isDone: false }
  await underItsSeal(database, key, (seal) =>
    database.run((sql) =>
      inTransaction(sql, async (transaction) => {
        if ((await lockSession(transaction, key, seal?.version ?? 0)) === undefined) return false
        outcome.attempts++
        outcome.isDone = await change(transaction, reason.note)
        if (outcome.isDone) await keepReason(transaction, key, { reason, seal })
        return true
      }),
    ),
  )
  return outcome.isDone || outcome.attempts > 1
}
