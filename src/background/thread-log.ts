import { readConfig } from '../config.ts'
import { describeForLog } from '../errors.ts'
import { createLog, type Log } from '../log.ts'
import { DaemonLog } from '../store/embedded/daemon/daemon-log.ts'
import { homePathsOf } from '../store/embedded/home.ts'
import type { ThreadSettings } from './thread-database.ts'

/**
 * What the background work tells: on a server where the process tells everything, on stderr; in the embedded store in the
 * daemon's own log, as nobody reads the stderr of a daemon.
 */
export function threadLog({ store, home }: Pick<ThreadSettings, 'store' | 'home'>): Log {
  if (store.kind === 'server') return createLog(readConfig().logLevel)
  const file = new DaemonLog(homePathsOf(home).log)
  const log: Log = {
    error: (message, cause) => file.write(cause === undefined ? message : `${message}: ${describeForLog(cause)}`),
    warn: (message) => file.write(message),
    info: () => undefined,
    debug: () => undefined,
    with: () => log,
  }
  return log
}
