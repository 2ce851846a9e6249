import { AuditUnwritten, VerbatimError } from '../errors.ts'
import { insertCalls, type CallRow } from '../store/audit/audit-log.ts'
import type { Database } from '../store/database.ts'

/** A row that the audit log does not take although it takes others. */
export interface RefusedCall {
  readonly row: CallRow
  readonly why: AuditUnwritten
}

export interface WrittenCalls {
  readonly refused: readonly RefusedCall[]
  /** What was not written and may be later, in its order; and why. Nothing where `failure` is not there. */
  readonly left: readonly CallRow[]
  readonly failure: AuditUnwritten | undefined
}

/**
 * While nothing was written, so many statements at most: all rows, the newest by itself, halves and quarters of the others. Where the log
 * takes no row at all, each further attempt would cost as many again, for nothing.
 */
const attemptsMax = 8

/**
 * Writes rows of calls together, in one statement; where the log refuses that, by halves, so that a row which it does not take keeps no other
 * from being written. Where it takes none of them, all are left: the log may be at fault, and not the rows. `isRepeated` is whether some
 * may be there. Never rejects.
 */
export async function writeCalls(
  database: Pick<Database, 'run'>,
  rows: readonly CallRow[],
  isRepeated: boolean,
): Promise<WrittenCalls> {
  const parts = [rows]
  const unwritten = new Set(rows)
  const refused: RefusedCall[] = []
  /** Single rows that were refused while nothing was written: they are tried again once something is. */
  const doubtful: (readonly CallRow[])[] = []
  let failure: AuditUnwritten | undefined
  // The list grows while it is worked off, the larger parts first.
  for (const [tried, part] of parts.entries()) {
    const isWorking = unwritten.size < rows.length
    if (!isWorking && tried === attemptsMax) break
    // Of what the log has refused nothing is there.
    let attempt = isRepeated ? 1 : 0
    try {
      await database.run((sql) => insertCalls(sql, part, ++attempt))
      for (const row of part) unwritten.delete(row)
      parts.push(...doubtful.splice(0))
    } catch (error) {
      failure = asUnwritten(error)
      if (!(error instanceof AuditUnwritten)) return { refused: [], left: [...unwritten], failure }
      const [row] = part
      if (part.length > 1 || row === undefined) parts.push(...partsOf(part, tried === 0))
      else if (isWorking) refused.push({ row, why: failure })
      else doubtful.push(part)
    }
  }
  if (unwritten.size === rows.length) return { refused: [], left: rows, failure }
  return { refused, left: [], failure: undefined }
}

/** Halves; of all rows the newest by itself before them: mostly it tells whether the log takes rows. */
function partsOf(rows: readonly CallRow[], areAll: boolean): readonly (readonly CallRow[])[] {
  const others = areAll ? rows.slice(0, -1) : rows
  const half = Math.ceil(others.length / 2)
  const parts = [areAll ? rows.slice(-1) : [], others.slice(0, half), others.slice(half)]
  return parts.filter((part) => part.length > 0)
}

/** Whatever it was that failed: the log, or the whole database. */
function asUnwritten(error: unknown): AuditUnwritten {
  if (error instanceof AuditUnwritten) return error
  if (!(error instanceof VerbatimError)) return new AuditUnwritten('the audit log is out of order', { cause: error })
  return new AuditUnwritten(error.message, {
    ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
    cause: error,
  })
}
