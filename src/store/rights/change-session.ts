import { SessionKeyMissing } from '../../errors.ts'
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
  const { tenantId, sessionId } = key
  const reason = giveReason(words)
  const outcome = { attempts: 0, isDone: false }
  const write = async (transaction: Transaction, keep: () => Promise<void>) => {
    outcome.attempts++
    outcome.isDone = await change(transaction, reason.note)
    if (outcome.isDone) await keep()
  }
  try {
    await underItsSeal(database, key, (seal) =>
      database.run((sql) =>
        inTransaction(sql, async (own) => {
          if ((await lockSession(own, key, seal?.version ?? 0)) === undefined) return false
          await write(own, () => keepReason(own, key, { reason, seal }))
          return true
        }),
      ),
    )
  } catch (error) {
    if (!(error instanceof SessionKeyMissing)) throw error
    // What is not to be read any more is still to be held, released and then erased: its reasons are under the key of the tenant.
    const seal = await database.vault.sealOfTenant(tenantId)
    await database.run((sql) =>
      inTransaction(sql, (own) => write(own, () => keepReason(own, { tenantId, about: sessionId }, { reason, seal }))),
    )
  }
  return outcome.isDone || outcome.attempts > 1
}
