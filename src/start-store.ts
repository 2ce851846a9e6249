import { processEnvironment, type Config } from './config.ts'
import { startDaemonEarly, type DaemonLaunch } from './store/embedded/ensure-daemon.ts'

/** How the process that owns the embedded store is started. */
export function launchOptions(
  config: Pick<Config, 'home' | 'idleMinutes' | 'settings'>,
  version: string,
): DaemonLaunch {
  return {
    home: config.home,
    version,
    idleMs: Math.round(config.idleMinutes * 60_000),
    // Settings of an --env-file are in no environment yet.
    environment: { ...processEnvironment(), ...config.settings },
  }
}

/** Begins to start that process, and waits for nothing. Apart from `compose.ts`, so that it costs a few milliseconds. */
export function startStoreEarly(config: Config, version: string): void {
  startDaemonEarly(launchOptions(config, version))
}
