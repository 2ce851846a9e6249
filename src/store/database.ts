import type { Sql } from 'postgres'

import type { Viewer } from '../model/access.ts'
import type { Vault } from './keys/vault.ts'

/** A session that has changed, whoever changed it. */
export interface Change {
  readonly tenantId: number
  readonly sessionId: string
}

/**
 * The database as features use it. `run` gives a connection pool and tries again where the connection was lost before
 * an answer came (the embedded store's process was replaced, a server failed over): what is run must be idempotent.
 */
export interface Database {
  readonly kind: 'embedded' | 'server'
  /** The keys of what is stored. */
  readonly vault: Vault
  run<T>(work: (sql: Sql) => Promise<T>): Promise<T>
  /**
   * The same database for one viewer: whatever is asked for, it gives and takes no row that is not theirs. What one `run`
   * does is one transaction. Where one tenant has the database for itself, it is the same.
   */
  of(viewer: Viewer): Database
  /**
   * Of a database for one viewer, the one that it is a part of. Row level security keeps PostgreSQL from using an index on
   * arrays, so the one statement that needs it (`scoreMessages`) runs here: it gives ids and scores, whose rows are then
   * read through the walls.
   */
  readonly unwalled?: Database
  /**
   * Of a database for one viewer: who that is. What saves keeps to the viewer by itself, and then needs no transaction around
   * it, two journeys to the server fewer, and runs in `unwalled`.
   */
  readonly viewer?: Viewer
  /**
   * Says that a session has changed, to other processes too where the database can tell them. Never fails. The embedded
   * store's daemon sees every save by itself.
   */
  announce?(change: Change): void
  /**
   * Says that somebody waits for background work. Where this process does some and has not begun, it begins; absent where
   * another process always does it.
   */
  needWork?(): void
  /**
   * Calls back when a session was announced; absent where the database gives no notices. They may be lost: who needs to
   * know looks now and then as well. Returns what ends it.
   */
  onChange?(listener: (change: Change) => void): () => void
  close(): Promise<void>
}
