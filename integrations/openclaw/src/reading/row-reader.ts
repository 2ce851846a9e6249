import type { Session } from '../session.ts'
import type { ReaderName } from '../settings.ts'

/** Rows of a session that follow what was read before. */
export interface RowPage {
  /** Each is one row of the transcript as JSON, without a line end. */
  readonly lines: readonly Uint8Array[]
  /** Where to go on: the reader's own words, kept and given back as they are. */
  readonly position: string
  /** Whether more rows were there already. */
  readonly hasMore: boolean
  /** The thread of a file store's session. */
  readonly topic?: string | undefined
  /** To be called when the rows are on stable storage. */
  readonly onKept?: () => void
}

export interface ReadFrom {
  /** Absent at the first read of a session. */
  readonly position?: string | undefined
  /** The messages that the end of a turn came with. */
  readonly messages?: readonly unknown[] | undefined
}

/**
 * One way to read the rows of a session. A position that is no longer good, because the transcript was written anew, is
 * answered with rows from the beginning: Verbatim knows those that it has.
 */
export interface RowReader {
  readonly name: ReaderName
  /** Undefined where this way is not open: then the next reader is asked. An error is tried again later. */
  read(session: Session, from: ReadFrom): Promise<RowPage | undefined>
}
