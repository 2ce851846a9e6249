import { codeOf, UnavailableError } from '../../errors.ts'
import { asAuditUnwrittenByFunction } from '../audit/audit-unwritten.ts'
import { isConnectionLoss } from '../reconnect.ts'

/** Classes of SQLSTATE in which the store, not the statement, is at fault; the daemon's broker writes their messages for callers. */
const storeAtFault = /^(53|57|58)/

/**
 * What a caller may be told of an error of the database: that the store does not answer, and what to do, where the store
 * is at fault. Every other error is given back as it is: it is a defect, and its text is not for callers.
 */
export function asUnavailable(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof UnavailableError) return error
  if (storeAtFault.test(codeOf(error) ?? '')) {
    const hint =
      'hint' in error && typeof error.hint === 'string' ? error.hint : 'Try again; "verbatim doctor" says more'
    // The broker writes its messages for callers; PostgreSQL's own may name files.
    const message = error.message.startsWith('Cannot ') ? error.message : 'Cannot use the store now'
    return new UnavailableError(message, { remedy: hint, cause: error })
  }
  if (!isConnectionLoss(error)) return asAuditUnwrittenByFunction(error)
  return new UnavailableError('Cannot reach the store: its process ended and did not come back in time', {
    remedy: 'Try again; the reason is in log/daemon.log of the home, and "verbatim doctor" says more',
    cause: error,
  })
}
