import { randomUUID } from 'node:crypto'

import type { Config, ServerSettings } from './config.ts'
import { createLog } from './log.ts'
import { shownAddress } from './model/server-address.ts'
import { unobserved, type Observer } from './ports/observer.ts'
import { launchOptions } from './start-store.ts'
import type { Change, Database } from './store/database.ts'
import { connectEmbedded } from './store/embedded/client.ts'
import type { Background } from './store/embedded/daemon/daemon.ts'
import { homePathsOf, prepareHome } from './store/embedded/home.ts'
import { asUnavailable } from './store/embedded/unavailable.ts'
import type { VaultSettings } from './store/keys/sealing-choice.ts'
import { Vault } from './store/keys/vault.ts'
import { withReconnect } from './store/reconnect.ts'
import { packageVersion } from './version.ts'

/** A request that takes longer has failed for its client anyway. */
const statementMs = 60_000

/** The database that the settings name. Nothing is connected before the first call. */
export async function openDatabase(config: Config, observer: Observer = unobserved): Promise<Database> {
  const database =
    config.store.kind === 'server' ? await openServer(config, config.store, observer) : openEmbedded(config, observer)
  return observed(database, observer)
}

/** What is asked for on behalf of a viewer is told too, and what is asked outside of the walls for them. */
function observed(database: Database, observer: Observer): Database {
  const { unwalled } = database
  return {
    ...database,
    of: (viewer) => observed(database.of(viewer), observer),
    ...(unwalled === undefined ? {} : { unwalled: observed(unwalled, observer) }),
    run: (work) => observer.during({ kind: 'store' }, () => database.run(work)),
  }
}

/** What tells this process's threads from those of others; the embedded store has one daemon, and no need of it. */
export function ownerOf({ store }: Config): string | undefined {
  return store.kind === 'server' ? owner : undefined
}

/** Not the process's number: in containers that share a home all have the same. */
const owner = randomUUID()

/** The one line that is not to be missed: who does not copy the key may lose everything with a disk. */
function sealingOf({ encryption, logLevel }: Config): VaultSettings {
  return {
    ...encryption,
    onRootKeyMade: (path) =>
      createLog(logLevel).warn(
        `Made the root key of this store in the file "${path}": keep a copy of it elsewhere, as nothing that is saved can be read without it, in backups and in the archive neither (docs/encryption.md)`,
      ),
  }
}

function openEmbedded(config: Config, observer: Observer): Database {
  const connection = connectEmbedded(launchOptions(config, packageVersion()))
  const run: Database['run'] = async (work) => {
    try {
      return await withReconnect(() => work(connection.sql), {
        onRetry: () => observer.note({ kind: 'reconnected' }),
      })
    } catch (error) {
      throw asUnavailable(error)
    }
  }
  const vault = new Vault(run, sealingOf(config))
  return {
    kind: 'embedded',
    vault,
    of() {
      return this
    },
    run,
    close() {
      vault.close()
      return connection.close()
    },
  }
}

/**
 * A server, and the background work that this process does for it. Every process whose role is not `web` takes part, as
 * there is no daemon that would do it for all.
 */
async function openServer(config: Config, { url, connections }: ServerSettings, observer: Observer): Promise<Database> {
  // What only a server needs is loaded only where there is one.
  const [{ ServerDatabase }, { startBackground }] = await Promise.all([
    import('./store/server/server-database.ts'),
    import('./background/background.ts'),
  ])
  const server = {
    url,
    shownAddress: shownAddress(url),
    applicationName: `verbatim/${packageVersion()}`,
  }
  const database = new ServerDatabase({
    ...server,
    max: connections,
    statementMs,
    observer,
    encryption: sealingOf(config),
  })
  prepareHome(config.home)
  const { home, archive } = homePathsOf(config.home)
  const settings = { store: { kind: 'server', ...server } as const, home, archive, works: config.role !== 'web' }
  const environment = launchOptions(config, packageVersion()).environment
  const log = createLog(config.logLevel)
  const background = new LateStart(async () => {
    try {
      return await startBackground({ ...settings, owner }, environment, observer)
    } catch (error) {
      // This process saves and searches all the same; another may do the work.
      log.error('the background work did not start', error)
      return undefined
    }
  })
  const needWork = () => background.start()
  const announce = (change: Change) => {
    background.start()
    database.announce(change)
  }
  return {
    kind: 'server',
    vault: database.vault,
    of: (viewer) => ({ ...database.of(viewer), announce, needWork }),
    run: (work) => database.run(work),
    announce,
    needWork,
    onChange: (listener) => database.onChange(listener),
    async close() {
      await background.stop()
      await database.close()
    },
  }
}

/** A command that only reads is over before this, on a busy machine too. */
const startAfterMs = 5_000

/** Background work that begins after a moment, or when there is work: two threads cost more than a short command does. */
class LateStart {
  readonly #begin: () => Promise<Background | undefined>
  readonly #timer: NodeJS.Timeout
  #begun: Promise<Background | undefined> | undefined
  #isStopped = false

  /** What is begun never rejects. */
  constructor(begin: () => Promise<Background | undefined>) {
    this.#begin = begin
    this.#timer = setTimeout(() => this.start(), startAfterMs).unref()
  }

  start(): void {
    if (this.#isStopped) return
    clearTimeout(this.#timer)
    this.#begun ??= this.#begin()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#timer)
    await (await this.#begun)?.stop()
  }
}
