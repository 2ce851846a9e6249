import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import postgres from 'postgres'

import { codeOf } from '../../src/errors.ts'
import { tenantRole } from '../../src/store/server/walls.ts'

/** A PostgreSQL for tests: one that runs already, or the programs of one, or why there is none. */
export type FoundPostgres =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'programs'; readonly directory: string }
  | { readonly kind: 'none'; readonly reason: string }

const majors = [18, 17, 16, 15]

/**
 * `TEST_DATABASE_URL` names a server on which its role may make databases; `TEST_POSTGRES_BIN` a directory of PostgreSQL's
 * programs. Without either, PostgreSQL is looked for on the PATH and where packages put it.
 */
export function findPostgres(environment: Readonly<Record<string, string | undefined>>): FoundPostgres {
  const url = environment['TEST_DATABASE_URL']
  if (url !== undefined && url !== '') return { kind: 'url', url }
  const named = environment['TEST_POSTGRES_BIN']
  const places =
    named !== undefined && named !== ''
      ? [named]
      : [
          ...(environment['PATH'] ?? '').split(delimiter),
          ...majors.map((major) => `/usr/lib/postgresql/${major}/bin`),
          ...majors.map((major) => `/opt/homebrew/opt/postgresql@${major}/bin`),
          ...majors.map((major) => `/usr/pgsql-${major}/bin`),
        ]
  const directory = places.find((place) => ['initdb', 'postgres'].every((program) => existsSync(join(place, program))))
  if (directory === undefined)
    return {
      kind: 'none',
      reason: 'no PostgreSQL was found: install version 15 or newer, or set TEST_DATABASE_URL or TEST_POSTGRES_BIN',
    }
  if (process.getuid?.() === 0 && unprivilegedUser() === undefined)
    return { kind: 'none', reason: 'PostgreSQL does not run as root, and there is no user "postgres" or "nobody"' }
  return { kind: 'programs', directory }
}

/** The product refuses a role for which row level security does not hold. */
export const ordinaryRole = 'verbatim_test'

export interface RunningPostgres {
  /** Of an administrator, to the database `postgres`. */
  readonly url: string
  /** Ends every process of the server at once, as a crash would, and starts it again. */
  restart(): Promise<void>
  /** Kills it, until it is started again. */
  kill(): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
}

/**
 * Starts a server of its own on a free port of this machine, with its data in a temporary directory. With `syncs` it waits for
 * the disk as a real one does: for what is measured.
 */
export async function startPostgres(
  programs: string,
  options: { readonly syncs?: boolean } = {},
): Promise<RunningPostgres> {
  const { syncs = false } = options
  const user = process.getuid?.() === 0 ? unprivilegedUser() : undefined
  const directory = mkdtempSync(join(tmpdir(), 'verbatim-postgres-'))
  if (user !== undefined) chownSync(directory, user.uid, user.gid)
  const data = join(directory, 'data')
  const made = spawnSync(
    join(programs, 'initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'],
    { ...user, encoding: 'utf8', cwd: directory },
  )
  if (made.status !== 0) throw new Error(`Cannot make a PostgreSQL cluster for tests: ${made.stderr}`)
  const port = await freePort()
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  let child: ChildProcess
  const start = async () => {
    child = startServer(programs, { data, port, user, syncs })
    await untilItAnswers(url, child)
  }
  await start()
  return {
    url,
    async restart() {
      await endServer(child, 'SIGQUIT')
      await start()
    },
    kill: () => endServer(child, 'SIGKILL'),
    start,
    async stop() {
      await endServer(child, 'SIGINT')
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

export interface User {
  readonly uid: number
  readonly gid: number
}

function startServer(
  programs: string,
  where: {
    readonly data: string
    readonly port: number
    readonly user: User | undefined
    readonly syncs: boolean
  },
): ChildProcess {
  const settings = {
    port: where.port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 200,
    // What is tested survives its process, not a power cut; the power cut of the embedded store has tests of its own.
    fsync: where.syncs ? 'on' : 'off',
    // What is looked for in its files is looked for in all of its log.
    ...(where.syncs ? {} : { max_wal_size: '128MB' }),
    // Parallel builds of vector indexes overran a buffer before pgvector 0.8.2.
    max_parallel_maintenance_workers: 0,
  }
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  return spawn(join(programs, 'postgres'), ['-D', where.data, ...options], {
    ...where.user,
    cwd: where.data,
    stdio: 'ignore',
  })
}

async function endServer(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}

async function untilItAnswers(url: string, child: ChildProcess): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined, backoff: () => 0.02 })
  const deadline = Date.now() + 30_000
  try {
    for (;;) {
      if (child.exitCode !== null) throw new Error(`PostgreSQL ended with code ${child.exitCode} instead of starting`)
      try {
        await sql`select 1`
        return
      } catch (error) {
        if (Date.now() > deadline) throw error
        await sleep(50)
      }
    }
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/** Below those that the system gives to outgoing connections: one that is free now stays free while its server restarts. */
const ports = { from: 20_000, to: 32_000 }

export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(ports.from, ports.to)
    const server = createServer()
    server.listen(port, '127.0.0.1')
    try {
      await once(server, 'listening')
    } catch (error) {
      if (codeOf(error) === 'EADDRINUSE') continue
      throw error
    }
    server.close()
    await once(server, 'close')
    return port
  }
}

export function unprivilegedUser(): User | undefined {
  if (!existsSync('/etc/passwd')) return undefined
  const users = new Map(
    readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
      .map(([name, , uid, gid]) => [name, { uid: Number(uid), gid: Number(gid) }] as const),
  )
  return users.get('postgres') ?? users.get('nobody')
}

/** Makes the role that the product runs as, and the one that it acts as, as the documentation tells an administrator. */
export async function makeRoles(admin: postgres.Sql): Promise<void> {
  for (const statement of [
    `create role ${ordinaryRole} login`,
    `alter role ${ordinaryRole} password '${ordinaryRole}'`,
    `create role ${tenantRole} nologin`,
    `grant ${tenantRole} to ${ordinaryRole}`,
  ]) {
    try {
      await admin.unsafe(statement)
    } catch (error) {
      // A server that was named has them from an earlier run.
      if (!String(error).includes('already exists')) throw error
    }
  }
}

/** Makes a database for the ordinary role on a server of whose administrator the address is, and gives its own. */
export async function makeOrdinaryDatabase(adminUrl: string, database: string): Promise<string> {
  const admin = postgres(adminUrl, { max: 1, onnotice: () => undefined })
  try {
    await makeRoles(admin)
    await admin.unsafe(`create database ${database} owner ${ordinaryRole}`)
  } finally {
    await admin.end()
  }
  return withPath(adminUrl, { user: ordinaryRole, database })
}

export function withPath(
  url: string,
  change: { readonly user?: string | undefined; readonly database: string },
): string {
  const changed = new URL(url)
  if (change.user !== undefined) {
    changed.username = change.user
    changed.password = change.user
  }
  changed.pathname = `/${change.database}`
  return changed.href
}
