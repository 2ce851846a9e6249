import type { NamesBy } from '../model/names.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import type { Database } from '../store/database.ts'
import type { SessionKey } from '../store/messages.ts'
import type { MessageDocument } from './document.ts'
import type { MessageView } from './message-view.ts'

export interface ReadDependencies {
  readonly database: Database
  readonly archive: ArchiveStore
  /** Gives the key of pseudonyms; absent where none is kept. */
  readonly pseudonymKey?: (() => Promise<Uint8Array>) | undefined
  /** What looks for names beside the rules; absent where nothing does. */
  readonly namesBy?: NamesBy | undefined
}

/** Where a page begins: a message, and in one that comes in pieces how far the pieces were read. */
export interface PagePlace {
  readonly seq: number
  readonly offset: number
}

export interface PageRequest {
  readonly key: SessionKey
  readonly from: PagePlace
  readonly toSeq: number | undefined
  readonly limit: number
  /** What the messages of the page may take, as two-space JSON. */
  readonly roomBytes: number
  /** How the messages are shown, where it is not as they are. */
  readonly view?: MessageView | undefined
  /** Whether the content of restricted messages is kept back: the reader may not manage the session. */
  readonly withholds?: boolean
}

export interface Page {
  readonly messages: readonly MessageDocument[]
  /** Where the next page begins, or undefined at the end. */
  readonly next: PagePlace | undefined
}
