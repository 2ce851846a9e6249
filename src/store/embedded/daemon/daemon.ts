import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

import postgres from 'postgres'

import { UnavailableError, VerbatimError, messageOf } from '../../../errors.ts'
import { applyMigrations, isMigrated } from '../../migrations.ts'
import { compiledFile } from '../compiled.ts'
import { connectionOptionsOf } from '../connection-options.ts'
import type { ConnectionOptions } from '../connection-options.ts'
import { EngineError } from '../engine/engine-error.ts'
import { Engine } from '../engine/engine.ts'
import { imageFingerprint, imageFor, imagePathsIn } from '../engine/image-file.ts'
import { prepareHome, prepareSocketDirectory, socketPathOf } from '../home.ts'
import type { HomePaths } from '../home.ts'
import type { WireError } from '../wire.ts'
import { Broker } from './broker.ts'
import { DaemonLifetime, leaving } from './daemon-lifetime.ts'
import type { Background } from './daemon-lifetime.ts'
import { DaemonLog } from './daemon-log.ts'
import { readStatus, writeStatus } from './daemon-status.ts'
import type { DaemonStatus } from './daemon-status.ts'
import { tryLockHome } from './home-lock.ts'
import type { HomeLock } from './home-lock.ts'
import { Maintenance } from './maintenance.ts'
import { refuseNetworkFileSystem } from './network-file-system.ts'
import { watchProgram } from './program-watch.ts'
import { SpaceGuard, keepReserve, releaseReserve } from './space-guard.ts'

export type { Background } from './daemon-lifetime.ts'

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

const drainMs = 5_000
/** Draining and closing take no longer. */
const leavingMs = 30_000
const pollMs = 25

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
    const lock = tryLockHome(paths.lock) ?? (await lockAfterLeaving(paths))
    if (lock === undefined) return 'lost'
    try {
      status('starting')
      await serve(paths, { ...options, log, onState: status })
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
  readonly onState: (state: 'ready' | 'stopping') => void
}

async function serve(paths: HomePaths, options: ServeOptions): Promise<void> {
  const { log } = options
  const startedAt = performance.now()
  const socketPath = socketPathOf(paths.home)
  const parts: { guard?: SpaceGuard; maintenance?: Maintenance } = {}
  const engine = await engineFor(paths, { ...options, onRestarted: () => parts.guard?.restarted() })
  const internalName = `verbatim-daemon/${randomUUID()}`
  const lifetime = new DaemonLifetime(options, () => broker.clients)
  const program = watchProgram(compiledFile('daemon/daemon-main.js'), () => lifetime.leave('Verbatim was updated'))
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
  prepareSocketDirectory(socketPath, paths.home)
  if (process.platform !== 'win32') rmSync(socketPath, { force: true })
  await broker.listen(socketPath)
  const connection = connectionOptionsOf(socketPath, internalName)
  const sql = postgres({ ...connection, max: 1, fetch_types: false, onnotice: () => undefined })
  try {
    await opened
    parts.guard = new SpaceGuard(paths, { broker, log })
    // Only the daemon does it, so no lock is needed.
    if (!(await isMigrated(sql, options.migrationsFolder))) await applyMigrations(sql, options.migrationsFolder)
    keepReserve(paths)
    parts.guard.check()
    broker.admit()
    log.write(`version ${options.version} serves after ${Math.round(performance.now() - startedAt)} ms`)
    options.onState('ready')
    parts.maintenance = new Maintenance(sql, { log })
    lifetime.background = await startBackground(connection, options)
    // For what was saved while it started.
    lifetime.wake()
    lifetime.idle()
    log.write(`leaves: ${await lifetime.over}`)
  } catch (error) {
    await broker.drain(wireErrorOf(error), 0)
    throw error
  } finally {
    options.onState('stopping')
    lifetime.stop()
    program.stop()
    parts.maintenance?.stop()
    parts.guard?.stop()
    // Bounded: background work that hangs loses its connection below, and its transaction is rolled back.
    if (lifetime.background !== undefined) await Promise.race([lifetime.background.stop(), sleep(drainMs)])
    await broker.drain(leaving, drainMs)
    await sql.end({ timeout: 0 })
    await engine.close()
    if (process.platform !== 'win32') rmSync(socketPath, { force: true })
  }
}

/**
 * A client may come while the last daemon is closing the store and holds the lock still. Its new daemon waits for that,
 * so that the client need not start another. `undefined` when the lock's holder is not leaving, or somebody was faster.
 */
async function lockAfterLeaving(paths: HomePaths): Promise<HomeLock | undefined> {
  for (let waitedMs = 0; waitedMs < leavingMs && readStatus(paths.status)?.state === 'stopping'; waitedMs += pollMs) {
    await sleep(pollMs)
    const lock = tryLockHome(paths.lock)
    if (lock !== undefined) return lock
  }
  return tryLockHome(paths.lock)
}

/** Saves and searches go on where the background work cannot start, because a provider is set up wrongly for example. */
async function startBackground(connection: ConnectionOptions, options: ServeOptions): Promise<Background | undefined> {
  try {
    return await options.startBackground?.(connection)
  } catch (error) {
    options.log.write(`the background work did not start: ${messageOf(error)}`)
    return undefined
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

/** Not a code by which clients try again: what keeps a store from opening does not pass by itself. */
function wireErrorOf(error: unknown): WireError {
  if (error instanceof EngineError && error.code === '53100') return error.toWire()
  const hint = error instanceof UnavailableError && error.remedy !== undefined ? { hint: error.remedy } : {}
  return { code: '58000', message: `Cannot open the store: ${messageOf(error)}`, ...hint }
}
