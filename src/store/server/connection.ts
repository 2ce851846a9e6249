import postgres from 'postgres'

import { registerArrayTypes } from '../array-types.ts'

export interface ServerAddress {
  /** postgres://user:password@host:port/database; several hosts and `target_session_attrs` as libpq takes them. */
  readonly url: string
  /** What the server's administrator sees in pg_stat_activity. */
  readonly applicationName: string
}

export interface PoolOptions {
  readonly max: number
  /** A statement that takes longer is ended by the server; 0 for no bound. */
  readonly statementMs: number
}

const connectSeconds = 10
const idleSeconds = 300
/** postgres.js would wait up to 20 s after a few losses; `withReconnect` has the pauses. */
const backoffSeconds = 0.05
/** A transaction whose process hangs must not hold its locks for ever; a call to a provider fits into it. */
const idleInTransactionMs = 180_000

/** A pool of connections. Nothing is opened before the first query. */
export function openPool(address: ServerAddress, options: PoolOptions): postgres.Sql {
  const sql = postgres(address.url, {
    max: options.max,
    connect_timeout: connectSeconds,
    idle_timeout: idleSeconds,
    backoff: () => backoffSeconds,
    // Notices would go to stdout, which belongs to the protocol.
    onnotice: () => undefined,
    // What asks for them on each new connection is a query whose failure nobody catches.
    fetch_types: false,
    connection: {
      application_name: address.applicationName,
      statement_timeout: options.statementMs,
      idle_in_transaction_session_timeout: idleInTransactionMs,
    },
  })
  registerArrayTypes(sql)
  return sql
}
