import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import postgres, { type Sql } from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { untilIndexed } from '../door/support/archived.ts'
import { Home } from '../door/support/home.ts'
import { blocksOf, follow } from '../support/guide.ts'
import { findPostgres, freePort, unprivilegedUser } from '../support/postgres.ts'
import { lacksVectors } from '../support/test-store.ts'

const found = findPostgres(process.env)
const programs = found.kind === 'programs' ? found.directory : ''
const reason = programs === '' ? 'the server of the tests is one that runs already' : 'it has no pgvector'
const isPossible = programs !== '' && !lacksVectors
if (!isPossible) console.warn(`Skipped: backup of a server, as ${reason}`)

const root = fileURLToPath(new URL('../..', import.meta.url))
const rootKey = { VERBATIM_ROOT_KEY: 'b3'.repeat(32) }
const large = 'A payload that goes to the archive. '.repeat(40_000)

/** A server of its own, as compose.yaml has one: an administrator, and the role of Verbatim. */
class GuideServer {
  readonly directory = mkdtempSync(join(tmpdir(), 'verbatim-backup-'))
  readonly user = process.getuid?.() === 0 ? unprivilegedUser() : undefined
  readonly home = new Home()
  port = 0

  readonly data = join(this.directory, 'data')
  readonly backup = join(this.directory, 'backup')
  readonly restoredHome = join(this.directory, 'restored-home')

  url(role: string, database: string): string {
    return `postgres://${role}:secret@127.0.0.1:${this.port}/${database}`
  }

  get env(): Record<string, string> {
    return {
      PATH: [this.directory, programs, process.env['PATH']].join(delimiter),
      HOME: this.directory,
      BACKUP: this.backup,
      PGDATA: this.data,
      ADMIN_URL: this.url('postgres', 'verbatim'),
      RESTORED_ADMIN_URL: this.url('postgres', 'verbatim_restored'),
      RESTORED_URL: this.url('verbatim', 'verbatim_restored'),
      RESTORED_HOME: this.restoredHome,
      VERBATIM_HOME: this.home.path,
      VERBATIM_EMBEDDER: 'none',
      ...rootKey,
    }
  }

  /** As whoever owns the server's files. */
  run(program: string, ...args: readonly string[]): void {
    const { status, stderr, error } = spawnSync(join(programs, program), args, {
      ...this.user,
      cwd: this.directory,
      encoding: 'utf8',
      // A server that is started here outlives the command, with its pipes.
      stdio: ['ignore', 'ignore', program === 'pg_ctl' ? 'ignore' : 'pipe'],
    })
    if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr} ${error?.message ?? ''}`)
  }

  async start(): Promise<void> {
    this.port = await freePort()
    for (const directory of [this.backup, join(this.backup, 'wal')]) mkdirSync(directory)
    for (const directory of [this.directory, this.backup, join(this.backup, 'wal')]) {
      if (this.user !== undefined) chownSync(directory, this.user.uid, this.user.gid)
    }
    const verbatim = join(this.directory, 'verbatim')
    writeFileSync(verbatim, `#!/bin/sh\nexec "${process.execPath}" "${this.home.program}" "$@"\n`)
    chmodSync(verbatim, 0o755)
    this.run('initdb', '-D', this.data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync')
    const [settings = ''] = blocksOf('backup.md', 'PostgreSQL: base backup and log', 'ini')
    appendFileSync(
      join(this.data, 'postgresql.conf'),
      `port = ${this.port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n${settings.replaceAll('$BACKUP', this.backup)}`,
    )
    this.run('pg_ctl', '-D', this.data, '-w', '-l', join(this.directory, 'log'), 'start')
    await follow(join(root, 'deploy', 'postgres-init.sh'), {
      cwd: this.directory,
      env: {
        ...this.env,
        PGHOST: '127.0.0.1',
        PGPORT: String(this.port),
        POSTGRES_USER: 'postgres',
        DATABASE_PASSWORD: 'secret',
      },
    })
    this.home.settings = { ...this.home.settings, ...rootKey, DATABASE_URL: this.url('verbatim', 'verbatim') }
  }

  async sql<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    const sql = postgres(this.url('postgres', 'verbatim'), { max: 1, onnotice: () => undefined })
    try {
      return await work(sql)
    } finally {
      await sql.end()
    }
  }

  async dispose(): Promise<void> {
    await this.home.dispose()
    if (existsSync(join(this.data, 'postmaster.pid')))
      this.run('pg_ctl', '-D', this.data, '-w', '-m', 'immediate', 'stop')
    rmSync(this.directory, { recursive: true, force: true })
  }
}

describe.skipIf(!isPossible)('docs/backup.md', () => {
  const server = new GuideServer()

  beforeAll(() => server.start())
  afterAll(() => server.dispose())

  /** Every session, byte for byte as it was brought in and as JSON, from the database and the home that are named. */
  async function exports(env: Readonly<Record<string, string>> = {}): Promise<readonly string[]> {
    const run = async (...args: readonly string[]) => {
      const { code, stdout, stderr } = await server.home.cli(args, { env })
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      return stdout
    }
    const list = z.object({ sessions: z.array(z.object({ session_id: z.string(), source: z.string() })) })
    const { sessions } = list.parse(JSON.parse(await run('sessions', '--json')))
    const ids = sessions.map((session) => session.session_id).toSorted()
    const whole = await Promise.all(ids.map(async (id) => await run('export', id, '--format', 'json')))
    const imported = sessions.find(({ source }) => source !== 'mcp')?.session_id ?? 'none'
    return [...whole, await run('export', imported, '--format', 'original')]
  }

  const file = [
    { role: 'user', content: 'Which berth?' },
    { role: 'assistant', content: 'Berth 14.' },
  ]
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('\n')

  test('a dump, and a copy of the archive made after it, restore every session as it was', async () => {
    const path = join(server.home.directory('files'), 'imported.jsonl')
    writeFileSync(path, file)
    expect(await server.home.cli(['import', path, '--format', 'generic'])).toMatchObject({ code: 0 })
    const tools = await server.home.tools()
    await tools.save({ session_id: 'large', content: large, sender: 'Ada' })
    // A sentiment is told by what indexes a message.
    await untilIndexed(server.home, tools)
    const before = await exports()
    expect(before.length).toBe(3)
    expect(before.at(-1)).toBe(file)

    const [dump, restore] = blocksOf('backup.md', 'PostgreSQL: a dump')
    const [copy, copyBack] = blocksOf('backup.md', 'The archive')
    const where = { cwd: server.directory, env: server.env }
    await follow(dump, where)
    await follow(copy, where)
    // What comes later is in the archive's copy at most, and in no dump.
    await tools.save({ session_id: 'late', content: 'after the backup', sender: 'Ada' })
    await follow(copyBack, where)
    const said = await follow(restore, { ...where, env: { ...server.env, VERBATIM_HOME: server.restoredHome } })
    expect(said).toContain('all intact')
    const restored = { DATABASE_URL: server.url('verbatim', 'verbatim_restored'), VERBATIM_HOME: server.restoredHome }
    expect(await exports(restored)).toEqual(before)
  }, 300_000)

  test('a base backup and the log since bring back what was saved after it', async () => {
    const where = { cwd: server.directory, env: server.env, user: server.user }
    const [backup, restore] = blocksOf('backup.md', 'PostgreSQL: base backup and log')
    await follow(backup, where)
    const tools = await server.home.tools()
    for (let number = 1; number <= 20; number++)
      await tools.save({ session_id: 'since', content: `saved after the base backup, ${number}`, sender: 'Ada' })
    await untilIndexed(server.home, tools)
    const before = await exports()
    const [closed] = await server.sql((sql) => sql<{ file: string }[]>`select pg_walfile_name(pg_switch_wal()) as file`)
    await expect.poll(() => existsSync(join(server.backup, 'wal', closed?.file ?? '')), { timeout: 30_000 }).toBe(true)

    server.run('pg_ctl', '-D', server.data, '-w', '-m', 'immediate', 'stop')
    rmSync(server.data, { recursive: true })
    await follow(restore, where)
    expect(await server.home.cli(['verify'])).toMatchObject({ code: 0, stdout: expect.stringContaining('all intact') })
    expect(await exports()).toEqual(before)
  }, 300_000)
})
