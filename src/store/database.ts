import type { Sql } from 'postgres'

/**
 * The database as features use it. `run` gives a connection pool and tries again where the connection was lost before
 * an answer came (the embedded store's process was replaced, a server failed over): what is run must be idempotent.
 */
export interface Database {
  readonly kind: 'embedded' | 'server'
  run<T>(work: (sql: Sql) => Promise<T>): Promise<T>
  close(): Promise<void>
}
