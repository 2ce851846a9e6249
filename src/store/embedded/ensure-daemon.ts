import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import { UnavailableError } from '../../errors.ts'
import { updated } from '../../updated.ts'
import { compiledFile } from './compiled.ts'
import { readStatus } from './daemon/daemon-status.ts'
import { homePathsOf, prepareHome, prepareSocketDirectory, socketPathOf } from './home.ts'

export interface DaemonLaunch {
  readonly home: string
  /** The version of this program; the daemon is started from the same files. */
  readonly version: string
  readonly idleMs?: number
  /** What the daemon reads its settings from; default: the environment of this process. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Default: the migrations of this package. */
  readonly migrationsFolder?: string
  /** Further arguments of daemon-main, for tests. */
  readonly daemonArguments?: readonly string[]
  /** How long the daemon may take until it listens; default 20 s. */
  readonly startMs?: number
}

const defaultStartMs = 20_000
const pollMs = 15
/** A daemon that lost the race for the lock exits; another start is tried when the winner is not there by then. */
const respawnMs = 3_000

/**
 * Starts the daemon of this home without waiting for it, at the start of a process, so that the first call finds it
 * ready. Where one is running already, the new one finds the lock taken and exits.
 */
export function startDaemonEarly(launch: DaemonLaunch): void {
  void spawnUnlessThere(launch)
}

/**
 * Makes sure that a daemon listens on this home's socket. It may still be opening the store: it accepts connections
 * at once and answers them when it is ready. Throws UnavailableError with the daemon's own reason.
 */
export async function ensureDaemon(launch: DaemonLaunch): Promise<void> {
  const socketPath = socketPathOf(launch.home)
  prepareSocketDirectory(socketPath, launch.home)
  if (await answers(socketPath)) return
  const startedAt = Date.now()
  const deadline = startedAt + (launch.startMs ?? defaultStartMs)
  let spawnedAt = 0
  while (Date.now() < deadline) {
    if (Date.now() - spawnedAt > respawnMs) {
      spawnDaemon(launch)
      spawnedAt = Date.now()
    }
    await sleep(pollMs + Math.random() * pollMs)
    if (await answers(socketPath)) return
    failWithReason(launch, startedAt)
  }
  throw existsSync(programOfDaemon()) ? unreachable(launch) : updated()
}

function failWithReason(launch: DaemonLaunch, since: number): void {
  const paths = homePathsOf(launch.home)
  const status = readStatus(paths.status)
  if (status?.state !== 'failed' || status.at < since) return
  const remedy = status.remedy ?? `The daemon's log is "${paths.log}"`
  throw new UnavailableError(`Cannot start the store: ${status.reason ?? 'no reason was given'}`, { remedy })
}

function unreachable(launch: DaemonLaunch): UnavailableError {
  const paths = homePathsOf(launch.home)
  const status = readStatus(paths.status)
  const remedy = `See the daemon's log "${paths.log}"`
  const waitedMs = launch.startMs ?? defaultStartMs
  if (status === undefined || !existsSync(paths.log)) {
    return new UnavailableError(
      `Cannot reach the store as its daemon must answer within ${waitedMs} ms: it has not started at all`,
      { remedy: `Check that "${paths.home}" can be written and that "${process.execPath}" can be run` },
    )
  }
  return new UnavailableError(
    `Cannot reach the store as its daemon must answer within ${waitedMs} ms: ` +
      `version ${status.version}, process ${status.pid}, was last "${status.state}"`,
    { remedy: `${remedy}; if process ${status.pid} hangs, end it` },
  )
}

const programOfDaemon = () => compiledFile('daemon/daemon-main.js')

function spawnDaemon(launch: DaemonLaunch): void {
  // Here, where the reason reaches the caller: a daemon without a home has no place to write it down.
  prepareHome(launch.home)
  const options = ['--version', launch.version, ...(launch.daemonArguments ?? [])]
  if (launch.idleMs !== undefined) options.push('--idle-ms', String(launch.idleMs))
  if (launch.migrationsFolder !== undefined) options.push('--migrations', launch.migrationsFolder)
  const child = spawn(process.execPath, [programOfDaemon(), launch.home, ...options], {
    detached: true,
    stdio: 'ignore',
    windowsHide: true,
    ...(launch.environment === undefined ? {} : { env: launch.environment }),
  })
  // A program that cannot be started shows as a daemon that does not answer.
  child.on('error', () => undefined)
  child.unref()
}

/** What keeps the daemon from starting shows again, with its reason, in the first call that needs the store. */
async function spawnUnlessThere(launch: DaemonLaunch): Promise<void> {
  try {
    if (!(await answers(socketPathOf(launch.home)))) spawnDaemon(launch)
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error
  }
}

async function answers(socketPath: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(socketPath)
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}
