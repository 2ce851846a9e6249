import { AuditUnwritten, codeOf, VerbatimError } from '../../errors.ts'
import { endsConnection, isConnectionLoss } from '../reconnect.ts'

/** What PostgreSQL's code says of an insert into the audit log. */
const reasons: ReadonlyMap<string, string> = new Map([
  ['42501', 'the store has no right to add rows to the audit log'],
  ['42P01', 'the audit log is not in the database'],
  ['P0001', 'a trigger or a rule of the database refuses rows of the audit log'],
])

/** Classes in which the server or the statement's own transaction is at fault, whatever it was about: they have words of their own. */
const notOfTheLog = /^(25|40|53|55|57|58|XX)/

const sqlState = /^[\dA-Z]{5}$/

/** What a caller may be told of an error of an insert into the audit log; what is not its fault is given back as it is. */
export function asAuditUnwritten(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof VerbatimError || isConnectionLoss(error)) return error
  const code = codeOf(error) ?? ''
  if (!mayBeOfAuditLog(error)) return error
  return new AuditUnwritten(reasons.get(code) ?? `the database takes no row of the audit log (${code})`, {
    cause: error,
  })
}

/** Whether a statement that writes to the audit log, among other tables, may have failed of that: a trigger raises what it likes. */
export function mayBeOfAuditLog(error: unknown): boolean {
  const code = codeOf(error) ?? ''
  return error instanceof Error && sqlState.test(code) && !notOfTheLog.test(code) && !endsConnection(error)
}

/**
 * The same for an error of any statement, where it is of an insert into the audit log: the functions that save add their rows
 * themselves. PostgreSQL says so by the table of a constraint, or by the statement within the function.
 */
export function asAuditUnwrittenByFunction(error: unknown): unknown {
  return error instanceof Error && isOfAuditLog(error) ? asAuditUnwritten(error) : error
}

function isOfAuditLog(error: Error): boolean {
  if ('table_name' in error && error.table_name === 'audit_log') return true
  const said = ['where' in error && error.where, 'internal_query' in error && error.internal_query]
  // Of a statement that writes to other tables as well it may be of those: see `whyAuditTakesNoRow`.
  return said.some((text) => typeof text === 'string' && /(?:^|SQL statement ")\s*insert into audit_log\b/i.test(text))
}
