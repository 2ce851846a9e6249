import { DirectoryArchive } from './adapters/directory-archive.ts'
import type { Config } from './config.ts'
import { createTermHasher, defaultTermKey } from './indexing/terms.ts'
import type { Database } from './store/database.ts'
import { connectEmbedded } from './store/embedded/client.ts'
import { startDaemonEarly } from './store/embedded/ensure-daemon.ts'
import { homePathsOf } from './store/embedded/home.ts'
import { withReconnect } from './store/embedded/reconnect.ts'
import { asUnavailable } from './store/embedded/unavailable.ts'
import { Verbatim } from './verbatim.ts'
import { packageVersion } from './version.ts'

function launchOptions(config: Config) {
  return { home: config.home, version: packageVersion(), idleMs: Math.round(config.idleMinutes * 60_000) }
}

/** Begins to start the process that owns the embedded store, and waits for nothing. */
export function startStoreEarly(config: Config): void {
  startDaemonEarly(launchOptions(config))
}

/** Puts the product together as the configuration says. Nothing is connected before the first call. */
export async function openVerbatim(config: Config): Promise<Verbatim> {
  const connection = connectEmbedded(launchOptions(config))
  const database: Database = {
    kind: 'embedded',
    run: async (work) => {
      try {
        return await withReconnect(() => work(connection.sql))
      } catch (error) {
        throw asUnavailable(error)
      }
    },
    close: () => connection.close(),
  }
  return new Verbatim({
    database,
    archive: new DirectoryArchive(homePathsOf(config.home).archive),
    hasher: createTermHasher(defaultTermKey),
  })
}
