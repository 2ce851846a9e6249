import postgres from 'postgres'

import { parseAddress } from '../../model/server-address.ts'
import { registerArrayTypes } from '../array-types.ts'
import { startupPaddingBytes } from '../guarded-socket.ts'
import { ServerSockets } from './server-socket.ts'

export interface ServerConnection {
  /** As `parseAddress` takes it. */
  readonly url: string
  /** What the server's administrator sees in pg_stat_activity. */
  readonly applicationName: string
}

export interface PoolOptions {
  readonly max: number
  /** A statement that takes longer is ended by the server; 0 for no bound. */
  readonly statementMs: number
  /** Further settings of each connection. */
  readonly settings?: Readonly<Record<string, string>>
  /** Told how many connections are open, at each change. */
  readonly connectionsChanged?: (open: number) => void
}

const connectSeconds = 15
const idleSeconds = 300
/** postgres.js would wait up to 20 s after a few losses; `withReconnect` has the pauses. */
const backoffSeconds = 0.05
/** A transaction whose process hangs must not hold its locks for ever. Calls to a provider are made inside of one. */
const idleInTransactionMs = 600_000

/** A pool of connections. Nothing is opened before the first query. */
export function openPool({ url, applicationName }: ServerConnection, pool: PoolOptions): postgres.Sql {
  const address = parseAddress(url)
  const sockets = new ServerSockets(address, pool.connectionsChanged)
  const settings = Object.entries({
    statement_timeout: String(pool.statementMs),
    idle_in_transaction_session_timeout: String(idleInTransactionMs),
    // A search of many words is short and looks costly to the planner: compiling it took seconds, for milliseconds of work.
    jit: 'off',
    ...pool.settings,
  })
  const startup = settings.map(([name, value]) => `-c ${name}=${value}`).join(' ')
  const options = {
    // Not read from the environment: what is not in the address is what libpq takes.
    host: address.hosts.map(({ host, port }) => `${host}:${port}`).join(','),
    database: address.database,
    ...(address.user === undefined ? {} : { user: address.user }),
    ...(address.password === undefined ? {} : { password: address.password }),
    ...(address.wanted === undefined ? {} : { target_session_attrs: address.wanted }),
    max: pool.max,
    connect_timeout: connectSeconds,
    idle_timeout: idleSeconds,
    backoff: () => backoffSeconds,
    // Notices would go to stdout, which belongs to the protocol.
    onnotice: () => undefined,
    // What asks for them on each new connection is a query whose failure nobody catches.
    fetch_types: false,
    connection: { application_name: applicationName, options: startup.padEnd(startupPaddingBytes) },
    // A way to make the socket, which postgres.js has and its types leave out. Encryption has been agreed on there.
    ssl: false,
    socket: () => sockets.open(),
  }
  const sql = postgres(options)
  registerArrayTypes(sql)
  return sql
}
