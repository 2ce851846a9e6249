import { codeOf, UnavailableError } from '../../errors.ts'
import { asAuditUnwrittenByFunction } from '../audit/audit-unwritten.ts'
import { endsConnection, isConnectionLoss } from '../reconnect.ts'
import { unencryptedCode } from './server-socket.ts'

interface Reason {
  readonly message: string
  readonly remedy: string
}

/** Codes for which the words of PostgreSQL are no help to a caller, with ours. */
const reasons: ReadonlyMap<string, Reason> = new Map([
  [
    '28P01',
    { message: 'Cannot log in to the database server', remedy: 'Check the user and the password in DATABASE_URL' },
  ],
  [
    '28000',
    {
      message: 'The database server does not let this user in from here, or not in this way',
      remedy:
        'Check the user in DATABASE_URL, that its role has LOGIN, and what pg_hba.conf allows it. Where the server wants connections to be encrypted, add ?sslmode=require',
    },
  ],
  [
    unencryptedCode,
    {
      message: 'The database server does not encrypt connections, as sslmode in DATABASE_URL asks for',
      remedy: 'Turn on ssl there, or take another sslmode where the way to it is safe',
    },
  ],
  [
    '3D000',
    {
      message: 'Cannot open the database as there is none of that name on the server',
      remedy: 'Make it ("create database"), or check the name in DATABASE_URL',
    },
  ],
  [
    '25006',
    {
      message: 'Cannot write as the database takes nothing but reads',
      remedy:
        'Where the server is a standby, name the primary one in DATABASE_URL: several hosts and ?target_session_attrs=read-write find it. Else see default_transaction_read_only of the database and of the role',
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
    '53300',
    {
      message: 'The database server has no connection free',
      remedy:
        'Try again. If it goes on, raise max_connections (or the limit of the role or the database), lower VERBATIM_DATABASE_CONNECTIONS, or run fewer processes: docs/scaling.md counts them',
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

/** What a server says before it lets a connection in; within one the same codes are defects. */
const refusals: ReadonlyMap<string, Reason> = new Map([
  [
    '42501',
    {
      message: 'Cannot open the database as this role may not connect to it',
      remedy: 'Run as an administrator: grant connect on database … to … (with the names of DATABASE_URL)',
    },
  ],
  [
    '55000',
    {
      message: 'Cannot open the database as it takes no connections',
      remedy: 'Run as an administrator: alter database … allow_connections true (with the name of the database)',
    },
  ],
])

/** What Node.js calls a certificate that it does not trust: OpenSSL's names, and its own. */
const untrusted = /CERT|^UNABLE_TO_|^HOSTNAME_MISMATCH$|^INVALID_(CA|PURPOSE)$/

/** Classes in which the server, not the statement, is at fault: out of memory, disk or connections, stopped, broken. */
const serverAtFault = /^(53|57|58|XX001|XX002)/

/** What a caller may be told of an error of the server. Every other error is given back as it is: it is a defect. */
export function asServerUnavailable(error: unknown, address: string): unknown {
  if (!(error instanceof Error) || error instanceof UnavailableError) return error
  const code = codeOf(error) ?? ''
  const reason = reasons.get(code) ?? (endsConnection(error) ? refusals.get(code) : undefined)
  if (reason !== undefined) return new UnavailableError(reason.message, { remedy: reason.remedy, cause: error })
  if (untrusted.test(code))
    return new UnavailableError(`Cannot trust the certificate of the database server at ${address}: ${code}`, {
      remedy:
        'Check that DATABASE_URL has the name that the certificate is for. Where an authority of your own, or of your provider, has signed it, name the file of its certificate in NODE_EXTRA_CA_CERTS',
      cause: error,
    })
  if (!serverAtFault.test(code) && !isConnectionLoss(error)) return asAuditUnwrittenByFunction(error)
  return new UnavailableError(`Cannot use the database server at ${address} now`, {
    remedy: 'Try again; check that it runs and that DATABASE_URL is right',
    cause: error,
  })
}
