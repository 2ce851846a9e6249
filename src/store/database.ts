import type { Sql } from 'postgres'

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
  run<T>(work: (sql: Sql) => Promise<T>): Promise<T>
  /**
   * Says that a session has changed, to other processes too where the database can tell them. Never fails. The embedded
   * store's daemon sees every save by itself.
   */
  announce?(change: Change): void
  /**
   * Calls back when a session was announced; absent where the database gives no notices. They may be lost: who needs to
   * know looks now and then as well. Returns what ends it.
   */
  onChange?(listener: (change: Change) => void): () => void
  close(): Promise<void>
}
