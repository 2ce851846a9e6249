import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { DaemonLog } from '../store/embedded/daemon-log.ts'
import { homePathsOf } from '../store/embedded/home.ts'

/** What the background work tells, in the daemon's own log: nobody reads the stderr of a daemon. */
export function threadLog(home: string): Log {
  const file = new DaemonLog(homePathsOf(home).log)
  return {
    error: (message, cause) => file.write(cause === undefined ? message : `${message}: ${messageOf(cause)}`),
    warn: (message) => file.write(message),
    info: () => undefined,
    debug: () => undefined,
  }
}
