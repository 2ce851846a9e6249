import type { Erasures } from '../erasure/erasures.ts'
import type { Caller } from '../model/access.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import type { Database } from '../store/database.ts'

/** This store, for who exchanges its history: all that the tenant has. */
export interface LocalStore {
  /** As its owner sees it. */
  readonly database: Database
  readonly archive: ArchiveStore
  readonly erasures: Erasures
  readonly caller: Caller
  /** Of the program. */
  readonly version: string
}
