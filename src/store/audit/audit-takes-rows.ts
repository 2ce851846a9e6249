import type { Sql } from 'postgres'

import { AuditUnwritten } from '../../errors.ts'
import type { Caller } from '../../model/access.ts'
import { inTransaction } from '../transaction.ts'
import { writeAudit } from './audit-log.ts'

/**
 * Why the audit log takes no row of a save now; undefined where it takes one. A save is one statement, of which PostgreSQL does not say to
 * which table a trigger belongs that refused it. Nothing is left of the row that is tried.
 */
export async function whyAuditTakesNoRow(
  sql: Sql,
  { tenantId, principal, client }: Pick<Caller, 'tenantId' | 'principal' | 'client'>,
): Promise<AuditUnwritten | undefined> {
  const tried = new Error('The audit log took a row, which is undone')
  try {
    return await inTransaction(sql, async (transaction) => {
      await writeAudit(transaction, { tenantId, principal, client }, { action: 'message.save', outcome: 'ok' })
      throw tried
    })
  } catch (error) {
    if (error === tried) return undefined
    if (error instanceof AuditUnwritten) return error
    throw error
  }
}
