import type { Caller } from '../../model/access.ts'
import { giveReason } from '../../model/reason.ts'
import { writeAudit, type AuditEvent } from '../audit/audit-log.ts'
import type { Database } from '../database.ts'
import { inTransaction } from '../transaction.ts'
import { keepReason } from './reasons.ts'

/** Writes a row of the audit log for a reason of somebody, which is kept beside it. */
export async function auditFor(
  database: Pick<Database, 'run' | 'vault'>,
  caller: Caller,
  { words, event }: { readonly words: string; readonly event: AuditEvent },
): Promise<void> {
  const { tenantId } = caller
  const reason = giveReason(words)
  const seal = await database.vault.sealOfTenant(tenantId)
  await database.run((sql) =>
    inTransaction(sql, async (transaction) => {
      await keepReason(transaction, { tenantId }, { reason, seal })
      await writeAudit(transaction, caller, { ...event, reason: reason.note })
    }),
  )
}
