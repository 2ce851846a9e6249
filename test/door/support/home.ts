import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { Client as ModernClient } from '@modelcontextprotocol/client'
import { StdioClientTransport as ModernStdio } from '@modelcontextprotocol/client/stdio'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import type { Row } from 'postgres'
import { afterAll, beforeAll, onTestFinished } from 'vitest'

import { connectEmbedded, type EmbeddedConnection } from '../../../src/store/embedded/client.ts'
import { openPool } from '../../../src/store/server/connection.ts'
import { packageVersion } from '../../../src/version.ts'
import { distPath } from '../../support/built.ts'
import { endDaemonOf } from '../../support/end-daemon.ts'
import { withRootKey } from '../../support/root-key.ts'
import { isOnServer, makeDatabase, type TestDatabase } from '../../support/test-store.ts'
import { RawServer } from './raw-server.ts'
import { Tools } from './tools.ts'

export interface CommandResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Replaces VERBATIM_HOME and HOME by nothing but what `env` says. */
  readonly cwd?: string
}

/** A process has written the rows of its calls into the audit log after this. */
const rowsWrittenMs = 500

/** Replies of get_session with a message whole are larger than what the client transports take by default. */
const readBytesMax = 64 * 1024 * 1024

/**
 * A temporary store with a user's home directory around it, the clients connected to it and the commands run on it.
 * `dispose` closes the clients, ends the store's daemon by its process id and removes everything.
 */
export class Home {
  readonly userHome = mkdtempSync(join(tmpdir(), 'verbatim-door-'))
  readonly path = join(this.userHome, 'store')
  program: string = distPath('cli/main.js')
  /** Settings of the servers and commands that are started next. Nothing is embedded where they do not say so. */
  settings: Readonly<Record<string, string>> = { VERBATIM_EMBEDDER: 'none' }
  readonly #closing: (() => Promise<unknown>)[] = []
  #database: TestDatabase | undefined
  #stderr = ''

  /** Everything that servers of connected clients wrote to stderr. */
  get stderr(): string {
    return this.#stderr
  }

  /** The same without the line that says where the root key was made, which is said of each fresh store. */
  get complaints(): string {
    const lines = this.#stderr.split('\n').filter((line) => !line.includes('Made the root key of this store'))
    return lines.join('\n')
  }

  /** An environment without settings of whoever runs the tests. */
  get env(): Record<string, string> {
    return this.#environment({})
  }

  #environment(further: Readonly<Record<string, string>>): Record<string, string> {
    const kept = Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined || name.startsWith('VERBATIM_') || name.startsWith('NODE_') ? [] : [[name, value] as const],
    )
    return withRootKey({
      ...Object.fromEntries(kept),
      ...(this.#database === undefined ? {} : { DATABASE_URL: this.#database.url }),
      HOME: this.userHome,
      VERBATIM_HOME: this.path,
      ...this.settings,
      ...further,
    })
  }

  /** Gives the store a database of its own, where the tests run on a server. */
  async makeDatabase(): Promise<void> {
    if (isOnServer) this.#database = await makeDatabase()
  }

  /** A directory beside the store, made when it is asked for. */
  directory(name: string): string {
    const path = join(this.userHome, name)
    mkdirSync(path, { recursive: true })
    return path
  }

  /** The store's database without the product in between; to be closed by the caller. */
  database(): EmbeddedConnection {
    if (this.#database === undefined)
      return connectEmbedded({ home: this.path, version: packageVersion(), environment: this.env })
    const sql = openPool({ url: this.#database.url, applicationName: 'test' }, { max: 1, statementMs: 0 })
    return { sql, close: () => sql.end() }
  }

  /** What the store's database says to a statement, without the product in between. */
  async inDatabase(statement: string): Promise<readonly Row[]> {
    const store = this.database()
    try {
      return await store.sql.unsafe(statement)
    } finally {
      await store.close()
    }
  }

  async connect(...args: readonly string[]): Promise<Client> {
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [this.program, ...args],
      env: this.env,
      stderr: 'pipe',
      maxBufferSize: readBytesMax,
    })
    transport.stderr?.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()))
    const client = new Client({ name: 'door', version: '1.0.0' })
    await client.connect(transport)
    this.#closing.push(() => client.close())
    return client
  }

  /** The tools of a fresh server, through the client of `@modelcontextprotocol/sdk`. */
  async tools(...args: readonly string[]): Promise<Tools> {
    return new Tools(await this.connect(...args))
  }

  /** Those of one that ends with the test which asks for it: each has connections of its own, of which a database server has few. */
  async toolsOfTest(): Promise<Tools> {
    const client = await this.connect()
    onTestFinished(() => client.close())
    return new Tools(client)
  }

  /** The client of `@modelcontextprotocol/client`: `legacy` begins with `initialize`, `auto` takes the newest revision. */
  async connectModern(mode: 'legacy' | 'auto', ...args: readonly string[]): Promise<ModernClient> {
    const transport = new ModernStdio({
      command: process.execPath,
      args: [this.program, ...args],
      env: this.env,
      stderr: 'pipe',
      maxBufferSize: readBytesMax,
    })
    transport.stderr?.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()))
    const client = new ModernClient(
      { name: 'door', version: '2.0.0' },
      mode === 'auto' ? { versionNegotiation: { mode } } : {},
    )
    await client.connect(transport)
    this.#closing.push(() => client.close())
    return client
  }

  /** A server whose stdin and stdout the test holds itself. */
  raw(...args: readonly string[]): RawServer {
    const server = new RawServer(
      spawn(process.execPath, [this.program, ...args], { env: this.env, stdio: ['pipe', 'pipe', 'pipe'] }),
    )
    this.#closing.push(() => server.kill())
    return server
  }

  /** Begins a command of the command line, to be ended by the test. */
  start(args: readonly string[]): ChildProcess {
    return spawn(process.execPath, [this.program, ...args], { env: this.env, cwd: this.userHome, stdio: 'ignore' })
  }

  /** Runs a command of the command line to its end. */
  async cli(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return this.run(process.execPath, [this.program, ...args], options)
  }

  /** Runs any program to its end, in this home's environment. */
  async run(command: string, args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    const child = spawn(command, args, {
      env: this.#environment(options.env ?? {}),
      cwd: options.cwd ?? this.userHome,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    await once(child, 'close')
    return {
      code: child.exitCode,
      stdout: Buffer.concat(out).toString('utf8'),
      stderr: Buffer.concat(err).toString('utf8'),
    }
  }

  async dispose(): Promise<void> {
    // A client that is closed has written the rows of its calls.
    await Promise.all(this.#closing.splice(0).map((close) => close()))
    await endDaemonOf(this.path)
    await this.#database?.drop()
    rmSync(this.userHome, { recursive: true, force: true })
  }

  /**
   * Ends what works with the settings until now: the process that owns the store; on a server, that has none, all clients'
   * servers. The next client begins anew.
   */
  async endDaemon(): Promise<void> {
    if (this.#database !== undefined) await Promise.all(this.#closing.splice(0).map((close) => close()))
    // A client that still has rows of its calls to write would start the process again, with the settings until now.
    else await sleep(rowsWrittenMs)
    await endDaemonOf(this.path)
  }
}

/** One fresh home for a test file, removed after its tests. */
export function useHome(): Home {
  const home = new Home()
  beforeAll(() => home.makeDatabase())
  afterAll(() => home.dispose())
  return home
}
