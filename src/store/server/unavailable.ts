import { codeOf, UnavailableError } from '../../errors.ts'
import { asAuditUnwrittenByFunction } from '../audit/audit-unwritten.ts'
import { isConnectionLoss } from '../reconnect.ts'

/** SQLSTATEs for which PostgreSQL's own words are no help to a caller, with ours. */
const reasons: ReadonlyMap<string, { readonly message: string; readonly remedy: string }> = new Map([
  ...['28000', '28P01'].map(
    (code) =>
      [
        code,
        {
          message: 'Cannot log in to the database server',
          remedy: 'Check the user and the password in DATABASE_URL',
        },
      ] as const,
  ),
  [
    '3D000',
    {
      message: 'Cannot open the database as there is none of that name on the server',
      remedy: 'Make it ("create database"), or check the name in DATABASE_URL',
    },
  ],
  [
    '53100',
    {
      message: 'Cannot write as the disk of the database server is full',
      remedy: 'Free some space on it, and try again',
    },
  ],
  [
    '57014',
    {
      message: 'The database server took too long and was stopped',
      remedy: 'Try again; if it goes on, see the load of the server',
    },
  ],
])

/** Classes in which the server, not the statement, is at fault: out of memory, disk or connections, stopped, broken. */
const serverAtFault = /^(53|57|58|XX001|XX002)/

/** What a caller may be told of an error of the server. Every other error is given back as it is: it is a defect. */
export function asServerUnavailable(error: unknown, address: string): unknown {
  if (!(error instanceof Error) || error instanceof UnavailableError) return error
  const code = codeOf(error) ?? ''
  const reason = reasons.get(code)
  if (reason !== undefined) return new UnavailableError(reason.message, { remedy: reason.remedy, cause: error })
  if (!serverAtFault.test(code) && !isConnectionLoss(error)) return asAuditUnwrittenByFunction(error)
  return new UnavailableError(`Cannot use the database server at ${address} now`, {
    remedy: 'Try again; check that it runs and that DATABASE_URL is right',
    cause: error,
  })
}
