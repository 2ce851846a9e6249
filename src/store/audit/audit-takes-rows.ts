import { AuditUnwritten } from '../../errors.ts'
import type { Caller } from '../../model/access.ts'
import type { Database } from '../database.ts'
import type { Queries } from '../rows.ts'
import { inTransaction } from '../transaction.ts'
import { writeAudit } from './audit-log.ts'

/**
 * Why the audit log takes no row of a save now; undefined where it takes one. Nothing is left of the row that is tried. `doctor` asks; and
 * a save that failed does, as it is one statement, of which PostgreSQL does not say to which table a trigger belongs that refused it.
 */
export async function whyAuditTakesNoRow(
  database: Pick<Database, 'run'>,
  { tenantId, principal, client }: Pick<Caller, 'tenantId' | 'principal' | 'client'>,
): Promise<AuditUnwritten | undefined> {
  const tried = new Error('The audit log took a row, which is undone')
  try {
    return await database.run((sql) =>
      inTransaction(sql, async (transaction) => {
        await writeAudit(transaction, { tenantId, principal, client }, { action: 'message.save', outcome: 'ok' })
        // It leaves `run` too: of a viewer's database that is the transaction, and this one a part of it.
        throw tried
      }),
    )
  } catch (error) {
    if (error === tried) return undefined
    if (error instanceof AuditUnwritten) return error
    throw error
  }
}

/** The triggers of the audit log that somebody else has put there, by name. */
export async function auditTriggers(sql: Queries): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    select tgname as name from pg_trigger
    where tgrelid = to_regclass('audit_log') and not tgisinternal and tgname <> 'only_added' order by tgname`
  return rows.map(({ name }) => name)
}
