import { connect } from 'node:net'

import postgres from 'postgres'

import { UnavailableError, messageOf } from '../../errors.ts'
import { registerArrayTypes } from '../array-types.ts'
import { failedSocket, guarded, startupPaddingBytes } from '../guarded-socket.ts'
import { applicationNameOf } from './client-version.ts'
import { connectionOptionsOf } from './connection-options.ts'
import { ensureDaemon } from './ensure-daemon.ts'
import type { DaemonLaunch } from './ensure-daemon.ts'
import { socketPathOf } from './home.ts'

export interface EmbeddedOptions extends DaemonLaunch {
  /** Connections of the pool; the engine serves one at a time, so few are enough. Default 3. */
  readonly max?: number
  /** A connection without work is closed after so long; default 60 s. */
  readonly idleSeconds?: number
}

export interface EmbeddedConnection {
  readonly sql: postgres.Sql
  close(): Promise<void>
}

const defaults = { max: 3, idleSeconds: 60 } as const
/** A new connection waits while the daemon opens the store; recovery after a kill and migrations may take seconds. */
const connectSeconds = 60
const backoffSeconds = 0.02
const closeSeconds = 2

/**
 * A pool of connections to the store's daemon. Nothing is opened before the first query; each connection that is made,
 * the first as well as one after a loss, starts the daemon where none answers. A query on a connection that is lost
 * fails (see `withReconnect`). A daemon that cannot be started shows as UnavailableError of the query.
 */
export function connectEmbedded(options: EmbeddedOptions): EmbeddedConnection {
  const socketPath = socketPathOf(options.home)
  const { path: _, ...connection } = connectionOptionsOf(socketPath, applicationNameOf(options.version))
  const socket = async (): Promise<NodeJS.ReadWriteStream> => {
    try {
      await ensureDaemon(options)
      return guarded(connect(socketPath))
    } catch (error) {
      const cause = error instanceof Error ? error : new Error(messageOf(error))
      return failedSocket(cause instanceof UnavailableError ? cause : new UnavailableError(cause.message, { cause }))
    }
  }
  const settings = {
    ...connection,
    connection: { ...connection.connection, options: ' '.repeat(startupPaddingBytes) },
    max: options.max ?? defaults.max,
    idle_timeout: options.idleSeconds ?? defaults.idleSeconds,
    connect_timeout: connectSeconds,
    // Its own default grows to 20 s after a few losses.
    backoff: () => backoffSeconds,
    onnotice: () => undefined,
    fetch_types: false,
    // A way to make the socket, which postgres.js has and its types leave out.
    socket,
  }
  const sql = postgres(settings)
  registerArrayTypes(sql)
  return {
    sql,
    async close() {
      await sql.end({ timeout: closeSeconds })
    },
  }
}
