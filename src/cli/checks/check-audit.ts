import { codeOf, VerbatimError, type AuditUnwritten } from '../../errors.ts'
import type { Caller } from '../../model/access.ts'
import { auditTriggers, whyAuditTakesNoRow } from '../../store/audit/audit-takes-rows.ts'
import type { Database } from '../../store/database.ts'
import { tenantRole } from '../../store/server/walls.ts'
import { problemOf, type Check } from './check.ts'

export const auditLogName = 'audit log'

/** Whether the audit log takes rows of commands, and of requests, which act in a role of their own on a server: one of each is tried and undone. */
export async function checkAudit(database: Database, caller: Caller): Promise<Check> {
  const doors = [
    { whose: '', through: database, role: 'the user of DATABASE_URL' },
    { whose: ' of requests', through: database.of(caller), role: tenantRole },
  ]
  try {
    for (const { whose, through, role } of doors) {
      const unwritten = await whyAuditTakesNoRow(through, caller)
      if (unwritten === undefined) continue
      return {
        name: auditLogName,
        state: 'problem',
        message: `takes no rows${whose}, and what has to be written down there is not done: ${unwritten.why}`,
        remedy: await remedyOf(unwritten, { database, role }),
      }
    }
  } catch (error) {
    if (!(error instanceof VerbatimError)) throw error
    return problemOf(auditLogName, error)
  }
  return { name: auditLogName, state: 'ok', message: 'takes rows' }
}

async function remedyOf(
  unwritten: AuditUnwritten,
  { database, role }: { readonly database: Database; readonly role: string },
): Promise<string> {
  const code = codeOf(unwritten.cause)
  if (code === '42501') return `As the owner of the table: grant insert on audit_log to ${role}`
  const triggers = await database.run(auditTriggers)
  return triggers.length === 0
    ? 'Have who administers the database look at the table audit_log and its rules (docs/audit.md)'
    : `Have who administers the database look at what is not of Verbatim on the table audit_log: the trigger ${triggers.join(', ')}`
}
