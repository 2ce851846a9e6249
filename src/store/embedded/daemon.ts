import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'

import postgres from 'postgres'

import { UnavailableError, VerbatimError, messageOf } from '../../errors.ts'
import { Broker } from './broker.ts'
import { compiledFile } from './compiled.ts'
import { connectionOptionsOf, isNewer, versionIn } from './connection-options.ts'
import type { ConnectionOptions } from './connection-options.ts'
import { DaemonLog } from './daemon-log.ts'
import { writeStatus } from './daemon-status.ts'
import type { DaemonStatus } from './daemon-status.ts'
import { EngineError } from './engine-error.ts'
import { Engine } from './engine.ts'
import { tryLockHome } from './home-lock.ts'
import { prepareHome, prepareSocketDirectory, socketPathOf } from './home.ts'
import type { HomePaths } from './home.ts'
import { imageFingerprint, imageFor, imagePathsIn } from './image-file.ts'
import { Maintenance } from './maintenance.ts'
import { refuseNetworkFileSystem } from './network-file-system.ts'
import { SpaceGuard, keepReserve, releaseReserve } from './space-guard.ts'
import type { WireError } from './wire.ts'

/** Work that goes on in the daemon beside serving: the index worker. */
export interface Background {
  /** Somebody may have saved something. Called at most every 20 ms, never inside a transaction of its own. */
  readonly wake: () => void
  /** Whether there is work left for which the daemon should stay although it has no client. */
  readonly busy?: () => boolean
  /** Resolves when no statement of it is under way; the store is closed next. */
  readonly stop: () => Promise<void>
}

export interface DaemonOptions {
  readonly home: string
  readonly version: string
  readonly migrationsFolder: string
  /** The daemon leaves after so long without a client; default 10 min. */
  readonly idleMs?: number
  /** Bounds of the engine, for tests. */
  readonly answerMs?: number
  readonly idleInTransactionMs?: number
  readonly startBackground?: (connection: ConnectionOptions) => Promise<Background>
  /** Ends the daemon cleanly. */
  readonly signal: AbortSignal
}

const defaultIdleMs = 10 * 60_000
const drainMs = 5_000
const wakeDelayMs = 20

const leaving: WireError = {
  code: '57P01',
  message: 'Cannot answer as the daemon of the store is leaving',
  hint: 'Connect again: another daemon is started',
}

/**
 * Owns the store of a home until it is idle, aborted or taken over by a newer version, and closes it cleanly. Resolves
 * at once, `'lost'`, when another daemon has the lock. Fails with the reason where the store cannot be opened; the same
 * reason is in `log/daemon.json`, where clients look.
 */
export async function runDaemon(options: DaemonOptions): Promise<'served' | 'lost'> {
  process.umask(0o077)
  const paths = prepareHome(options.home)
  const status = (state: DaemonStatus['state'], error?: unknown): void => {
    const remedy = error instanceof VerbatimError ? error.remedy : error instanceof EngineError ? error.hint : undefined
    const why = error === undefined ? {} : { reason: messageOf(error), ...(remedy === undefined ? {} : { remedy }) }
    writeStatus(paths.status, { state, pid: process.pid, version: options.version, at: Date.now(), ...why })
  }
  const log = new DaemonLog(paths.log)
  try {
    refuseNetworkFileSystem(paths.home)
    const lock = tryLockHome(paths.lock)
    if (lock === undefined) return 'lost'
    try {
      status('starting')
      await serve(paths, { ...options, log, onReady: () => status('ready') })
      status('stopped')
      return 'served'
    } finally {
      lock.release()
    }
  } catch (error) {
    log.write(`failed: ${messageOf(error)}`)
    status('failed', error)
    throw error
  }
}

interface ServeOptions extends DaemonOptions {
  readonly log: DaemonLog
  readonly onReady: () => void
}

async function serve(paths: HomePaths, options: ServeOptions): Promise<void> {
  const { log } = options
  const startedAt = performance.now()
  const socketPath = socketPathOf(paths.home)
  const parts: { guard?: SpaceGuard; maintenance?: Maintenance } = {}
  const engine = await engineFor(paths, { ...options, onRestarted: () => parts.guard?.restarted() })
  const internalName = `verbatim-daemon/${randomUUID()}`
  const lifetime = new Lifetime(options, () => broker.clients)
  const broker: Broker = new Broker(engine, {
    internalName,
    ...(options.idleInTransactionMs === undefined ? {} : { idleInTransactionMs: options.idleInTransactionMs }),
    onClient: (name) => lifetime.greet(name),
    onClientBatch: () => lifetime.wake(),
    onServed(sizeBytes) {
      parts.guard?.check()
      parts.maintenance?.served(sizeBytes)
    },
    onIdle: () => lifetime.idle(),
  })
  const opened = engine.open()
  // Its failure is seen below, after what can be done meanwhile.
  opened.catch(() => undefined)
  prepareSocketDirectory(socketPath)
  if (process.platform !== 'win32') rmSync(socketPath, { force: true })
  await broker.listen(socketPath)
  const connection = connectionOptionsOf(socketPath, internalName)
  const sql = postgres({ ...connection, max: 1, fetch_types: false, onnotice: () => undefined })
  try {
    // Loading drizzle takes as long as half of the engine's start, in which this thread has nothing else to do.
    const { migrateEmbedded } = await import('./migrate.ts')
    await opened
    parts.guard = new SpaceGuard(paths, { broker, log })
    await migrateEmbedded(connection, options.migrationsFolder)
    keepReserve(paths)
    parts.guard.check()
    broker.admit()
    log.write(`version ${options.version} serves after ${Math.round(performance.now() - startedAt)} ms`)
    options.onReady()
    parts.maintenance = new Maintenance(sql, { log })
    lifetime.background = await options.startBackground?.(connection)
    lifetime.idle()
    log.write(`leaves: ${await lifetime.over}`)
  } catch (error) {
    await broker.drain(wireErrorOf(error), 0)
    throw error
  } finally {
    parts.maintenance?.stop()
    parts.guard?.stop()
    await lifetime.background?.stop()
    await broker.drain(leaving, drainMs)
    await sql.end({ timeout: 0 })
    await engine.close()
    if (process.platform !== 'win32') rmSync(socketPath, { force: true })
  }
}

async function engineFor(
  paths: HomePaths,
  options: ServeOptions & { readonly onRestarted: () => void },
): Promise<Engine> {
  const image = await imageFor(await imageFingerprint(options.migrationsFolder), imagePathsIn(compiledFile('')))
  return new Engine({
    dataDir: paths.database,
    ...(image === undefined ? {} : { image }),
    ...(options.answerMs === undefined ? {} : { answerMs: options.answerMs }),
    onFull: () => releaseReserve(paths),
    onLost: (error) => options.log.write(`engine lost: ${error.message}`),
    onRestarted() {
      options.log.write('engine restarted')
      options.onRestarted()
    },
  })
}

/** Decides when the daemon leaves, and wakes the background work. */
class Lifetime {
  readonly over: Promise<string>
  background: Background | undefined
  readonly #options: DaemonOptions
  readonly #clients: () => number
  #end: (reason: string) => void = () => undefined
  #idleTimer: NodeJS.Timeout | undefined
  #waking = false

  constructor(options: DaemonOptions, clients: () => number) {
    this.#options = options
    this.#clients = clients
    this.over = new Promise((resolve) => {
      this.#end = resolve
    })
    const { signal } = options
    if (signal.aborted) this.#end('stopped')
    signal.addEventListener('abort', () => this.#end('stopped'), { once: true })
  }

  greet(applicationName: string): WireError | undefined {
    const version = versionIn(applicationName)
    if (version !== undefined && isNewer(version, this.#options.version)) {
      this.#end(`version ${version} takes over`)
      return leaving
    }
    clearTimeout(this.#idleTimer)
    return undefined
  }

  idle(): void {
    clearTimeout(this.#idleTimer)
    this.#idleTimer = setTimeout(() => {
      if (this.#clients() > 0) return
      if (this.background?.busy?.() === true) this.idle()
      else this.#end('idle')
    }, this.#options.idleMs ?? defaultIdleMs)
  }

  wake(): void {
    if (this.background === undefined || this.#waking) return
    this.#waking = true
    setTimeout(() => {
      this.#waking = false
      this.background?.wake()
    }, wakeDelayMs)
  }
}

function wireErrorOf(error: unknown): WireError {
  if (error instanceof EngineError) return error.toWire()
  const hint = error instanceof UnavailableError && error.remedy !== undefined ? { hint: error.remedy } : {}
  return { code: '57P03', message: `Cannot open the store: ${messageOf(error)}`, ...hint }
}
