import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import postgres, { type Sql } from 'postgres'

import { migrateServer } from '../../src/store/server/migrate.ts'
import { distPath } from '../../test/support/built.ts'
import { findPostgres, startPostgres, type RunningPostgres } from '../../test/support/postgres.ts'
import { repositoryRoot } from '../machine.ts'
import { residentMiB } from '../server-process.ts'

const role = 'verbatim_bench'
/** Connections of each process that answers. */
export const poolConnections = 10

/** A PostgreSQL that waits for the disk, with a database of the product's schema, and the processes on it. */
export class Cluster implements AsyncDisposable {
  readonly url: string
  /** Of an administrator, for baselines. */
  readonly sql: Sql
  readonly version: string
  readonly #postgres: RunningPostgres
  readonly #directory = mkdtempSync(join(tmpdir(), 'verbatim-bench-server-'))
  readonly #processes: Process[] = []

  private constructor(started: { readonly postgres: RunningPostgres; readonly url: string; readonly version: string }) {
    this.#postgres = started.postgres
    this.url = started.url
    this.version = started.version
    this.sql = postgres(databaseUrl(started.postgres.url, 'verbatim'), { max: 1, onnotice: () => undefined })
  }

  static async start(): Promise<Cluster> {
    const found = findPostgres(process.env)
    if (found.kind !== 'programs')
      throw new Error(
        'This bench starts a PostgreSQL of its own: set TEST_POSTGRES_BIN to the directory of its programs',
      )
    const running = await startPostgres(found.directory, { syncs: true })
    const admin = postgres(running.url, { max: 1, onnotice: () => undefined })
    await admin.unsafe(
      `create role ${role} login; create role verbatim_tenant nologin; grant verbatim_tenant to ${role}`,
    )
    await admin.unsafe(`create database verbatim owner ${role} template template0`)
    const [about] = await admin<{ version: string; syncs: string }[]>`
      select current_setting('server_version') as version, current_setting('fsync') || current_setting('synchronous_commit') as syncs`
    await admin.end()
    if (about?.syncs !== 'onon')
      throw new Error('The figures would be worth nothing: PostgreSQL does not wait for the disk')
    const url = new URL(databaseUrl(running.url, 'verbatim'))
    url.username = role
    await migrateServer({ url: url.href, applicationName: 'bench' }, 'drizzle')
    return new Cluster({ postgres: running, url: url.href, version: about.version })
  }

  /** As many connections to the product's database as are asked for, past the walls between tenants: for raw SQL. */
  connect(max: number): Sql {
    return postgres(databaseUrl(this.#postgres.url, 'verbatim'), { max, onnotice: () => undefined, fetch_types: false })
  }

  /** A home that processes share: the token is the same for all. */
  get home(): string {
    return join(this.#directory, 'home')
  }

  settings(processRole: 'web' | 'worker'): Record<string, string> {
    return {
      DATABASE_URL: this.url,
      VERBATIM_HOME: this.home,
      VERBATIM_EMBEDDER: 'none',
      VERBATIM_ROLE: processRole,
      VERBATIM_LOG_LEVEL: 'warn',
      VERBATIM_DATABASE_CONNECTIONS: String(poolConnections),
      VERBATIM_ROOT_KEY: 'a7'.repeat(32),
    }
  }

  /** `verbatim serve`, on a free port. */
  async serve(processRole: 'web' | 'worker', settings: Readonly<Record<string, string>> = {}): Promise<Process> {
    return await this.#start([distPath('cli/main.js'), 'serve', '--port', '0'], { processRole, settings })
  }

  /** What a command prints. */
  run(args: readonly string[], settings: Readonly<Record<string, string>> = {}): string {
    const env = { PATH: process.env['PATH'], HOME: this.#directory, ...this.settings('web'), ...settings }
    return execFileSync(process.execPath, [distPath('cli/main.js'), ...args], { env, encoding: 'utf8' }).trim()
  }

  /** The same stack with a tool that does nothing. */
  async serveEmpty(): Promise<Process> {
    return await this.#start(['--import', 'tsx', join(repositoryRoot, 'bench', 'server', 'empty-http.ts')], {
      processRole: 'web',
      settings: {},
    })
  }

  async #start(
    args: readonly string[],
    {
      processRole,
      settings,
    }: { readonly processRole: 'web' | 'worker'; readonly settings: Readonly<Record<string, string>> },
  ): Promise<Process> {
    const env = { PATH: process.env['PATH'], HOME: this.#directory, ...this.settings(processRole), ...settings }
    const child = spawn(process.execPath, args, { cwd: repositoryRoot, env, stdio: ['ignore', 'ignore', 'pipe'] })
    const started = await Process.listening(child)
    this.#processes.push(started)
    return started
  }

  get token(): string {
    return readFileSync(join(this.home, 'token'), 'utf8').trim()
  }

  /** Seconds of CPU that the processes of PostgreSQL have used, those that ended included. */
  postgresCpuSeconds(): number {
    const [pid] = execFileSync('pgrep', ['-f', `port=${new URL(this.#postgres.url).port}`], { encoding: 'utf8' }).split(
      '\n',
    )
    const server = Number(pid)
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(name) === server)
    return pids.reduce((total, child) => total + cpuSeconds(Number(child)).own, cpuSeconds(server).withEnded)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const running of this.#processes) await running.stop()
    await this.sql.end()
    await this.#postgres.stop()
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

/** A process that listens for HTTP. */
export class Process {
  readonly url: string
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, url: string) {
    this.#child = child
    this.url = url
  }

  static async listening(child: ChildProcess): Promise<Process> {
    let said = ''
    const url = await new Promise<string>((resolve, reject) => {
      child.stderr?.on('data', (chunk: Buffer) => {
        said += chunk.toString()
        const found = /http:\/\/\S+:\d+(?=\/)/.exec(said)?.[0]
        if (found !== undefined) resolve(found)
      })
      child.once('close', () => reject(new Error(`A process ended instead of serving: ${said}`)))
    })
    return new Process(child, url)
  }

  get cpuSeconds(): number {
    return cpuSeconds(this.#pid).own
  }

  get residentMiB(): number {
    return residentMiB(this.#pid)
  }

  get #pid(): number {
    if (this.#child.pid === undefined) throw new Error('The process could not be started')
    return this.#child.pid
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    await ended
  }
}

function databaseUrl(url: string, database: string): string {
  const changed = new URL(url)
  changed.pathname = `/${database}`
  return changed.href
}

const ticksASecond = 100

/** The fields of /proc/PID/stat after the name, which may hold blanks; empty for a process that has ended. */
function statOf(pid: number | string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
  } catch {
    return []
  }
}

function parentOf(pid: string): number {
  return Number(statOf(pid)[1])
}

function cpuSeconds(pid: number): { readonly own: number; readonly withEnded: number } {
  const ticks = (at: number) => Number(statOf(pid)[at] ?? 0)
  const own = (ticks(11) + ticks(12)) / ticksASecond
  return { own, withEnded: own + (ticks(13) + ticks(14)) / ticksASecond }
}
