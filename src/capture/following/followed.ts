import type { FileState } from '../documents/file-state.ts'
import type { GrowingFile } from '../documents/growing-file.ts'

/** A file that there is. */
export interface FoundFile {
  readonly path: string
  readonly format?: string | undefined
}

/** One that is followed. */
export interface Followed extends FoundFile {
  /** As it was when it was last dealt with. */
  state?: FileState
  growing?: GrowingFile
  /** The format that it is in. */
  source?: string
  /** It has changed, or failed, and is not looked at again before this; in ms since 1970. */
  notBeforeMs?: number
  /** Entries that were stored before it was known that the file must be read again, of which nobody was told yet. */
  addedBefore?: number
  /** Why it could not be imported, as it was last reported. */
  told?: string
}
