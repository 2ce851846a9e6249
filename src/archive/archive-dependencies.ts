import type { Log } from '../log.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import type { Database } from '../store/database.ts'

export interface ArchiveDependencies {
  readonly database: Database
  readonly archive: ArchiveStore
  readonly log: Log
}
