import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { afterEach, beforeEach } from 'vitest'

import { connectEmbedded } from '../../src/store/embedded/client.ts'
import type { EmbeddedConnection, EmbeddedOptions } from '../../src/store/embedded/client.ts'
import { readStatus } from '../../src/store/embedded/daemon/daemon-status.ts'
import { homePathsOf } from '../../src/store/embedded/home.ts'
import { distPath } from '../support/built.ts'
import { isAlive } from '../support/is-alive.ts'

export const testVersion = '1.2.3'

/** A temporary home, its connections and its daemons; everything is ended and removed by `dispose`. */
export class StoreFixture {
  readonly home: string
  /** What the scripts that are started next have in their environment beside this process's. */
  environment: Readonly<Record<string, string>> = {}
  readonly #connections: EmbeddedConnection[] = []
  readonly #children: ChildProcess[] = []

  constructor(home: string = mkdtempSync(join(tmpdir(), 'verbatim-store-'))) {
    distPath('store/embedded/daemon/daemon-main.js')
    this.home = home
  }

  connect(options: Partial<EmbeddedOptions> = {}): EmbeddedConnection {
    const connection = connectEmbedded({ home: this.home, version: testVersion, idleMs: 5_000, ...options })
    this.#connections.push(connection)
    return connection
  }

  /** Starts a daemon by hand; the promise gives its exit code. */
  startDaemon(...parameters: readonly string[]): {
    readonly child: ChildProcess
    readonly exit: Promise<number | null>
  } {
    const main = distPath('store/embedded/daemon/daemon-main.js')
    const child = spawn(process.execPath, [
      main,
      this.home,
      '--version',
      testVersion,
      '--idle-ms',
      '5000',
      ...parameters,
    ])
    this.#children.push(child)
    const exit = once(child, 'exit').then(([code]: (number | null)[]) => code ?? null)
    return { child, exit }
  }

  /** Runs a script of test/fault on this home and gives the lines that it prints as they come. */
  startScript(name: string, parameters: readonly string[], onLine: (line: string) => void): ScriptRun {
    const script = fileURLToPath(new URL(`../fault/${name}`, import.meta.url))
    const child = spawn(process.execPath, ['--import', 'tsx', script, this.home, ...parameters], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...this.environment },
    })
    this.#children.push(child)
    createInterface({ input: child.stdout }).on('line', onLine)
    let errors = ''
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString()
    })
    const exit = once(child, 'close').then(([code]: (number | null)[]) => ({ code: code ?? null, errors }))
    return { child, exit }
  }

  async daemonReady(): Promise<void> {
    await until(() => readStatus(homePathsOf(this.home).status)?.state === 'ready', 30_000)
  }

  daemonPid(): number | undefined {
    const status = readStatus(homePathsOf(this.home).status)
    // A test may run the daemon in its own process.
    if (status === undefined || status.pid === process.pid || status.state === 'stopped') return undefined
    return isAlive(status.pid) ? status.pid : undefined
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    const pid = this.daemonPid()
    if (pid !== undefined) process.kill(pid, signal)
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#connections.map(async (connection) => connection.close()))
    for (const child of this.#children) child.kill('SIGKILL')
    const pid = this.daemonPid()
    if (pid !== undefined) {
      process.kill(pid, 'SIGTERM')
      await until(() => !isAlive(pid), 8_000).catch(() => process.kill(pid, 'SIGKILL'))
    }
    rmSync(this.home, { recursive: true, force: true })
  }
}

/** A fresh store for each test of a file, in `current`; it ends with the test. */
export function useFreshStore(): { readonly current: StoreFixture } {
  let store: StoreFixture | undefined
  beforeEach(() => {
    store = new StoreFixture()
  })
  afterEach(async () => {
    await store?.dispose()
  }, 30_000)
  return {
    get current() {
      if (store === undefined) throw new Error('a store is made before each test')
      return store
    },
  }
}

/**
 * Kills the daemon of a store until its writers have ended, at most `killsMax` times, and gives how often that was. A kill
 * only counts when something was acknowledged since the last one.
 */
export async function killUnderWriters(
  store: StoreFixture,
  writers: readonly ScriptRun[],
  options: { readonly acknowledged: ReadonlyMap<string, unknown>; readonly killsMax: number },
): Promise<number> {
  const isRunning = (): boolean => writers.some(({ child }) => child.exitCode === null)
  let kills = 0
  while (isRunning() && kills < options.killsMax) {
    const before = options.acknowledged.size
    while (isRunning() && options.acknowledged.size === before) await sleep(10)
    await sleep(Math.random() * 500)
    if (store.daemonPid() === undefined) continue
    store.kill()
    kills += 1
  }
  return kills
}

export interface ScriptRun {
  readonly child: ChildProcess
  readonly exit: Promise<{ readonly code: number | null; readonly errors: string }>
}

export async function until(condition: () => boolean, withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`Cannot go on as the condition must hold within ${withinMs} ms`)
    await sleep(20)
  }
}

/** The default of a loop count that the long form of the fault suite raises. */
export function faultCycles(byDefault: number): number {
  return Number(process.env['FAULT_CYCLES'] ?? byDefault)
}
