import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from '@modelcontextprotocol/client'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { onTestFinished } from 'vitest'

import type { Home } from './home.ts'
import { Tools } from './tools.ts'

/** A `verbatim serve` of a home, and the clients that reach it over HTTP. */
export class HttpHome {
  readonly home: Home
  readonly child: ChildProcess
  readonly url: string
  readonly #said: () => string

  private constructor(home: Home, child: ChildProcess, server: { readonly url: string; readonly said: () => string }) {
    this.home = home
    this.child = child
    this.url = server.url
    this.#said = server.said
  }

  /** Starts one on a free port; it ends with the test or, where `keep`, when it is told to. */
  static async start(
    home: Home,
    options: {
      readonly args?: readonly string[]
      readonly env?: Readonly<Record<string, string>>
      readonly keep?: boolean
    } = {},
  ): Promise<HttpHome> {
    const child = spawn(process.execPath, [home.program, 'serve', '--port', '0', ...(options.args ?? [])], {
      env: { ...home.env, ...options.env },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    const url = await new Promise<string>((resolve, reject) => {
      child.stderr.on('data', (chunk: Buffer) => {
        said += chunk.toString()
        const found = /http:\/\/\S+:\d+(?=\/)/.exec(said)?.[0]
        if (found !== undefined) resolve(found)
      })
      child.on('close', () => reject(new Error(`The server ended: ${said}`)))
    })
    const server = new HttpHome(home, child, { url, said: () => said })
    if (options.keep !== true) onTestFinished(async () => void (await server.stop()))
    return server
  }

  /** Everything that it wrote to stderr. */
  get said(): string {
    return this.#said()
  }

  /** The token that it made for its owner. */
  get token(): string {
    return readFileSync(join(this.home.path, 'token'), 'utf8').trim()
  }

  /** Makes another token by the command line. */
  async newToken(...args: readonly string[]): Promise<string> {
    const { stdout, stderr, code } = await this.home.cli(['token', 'create', ...args])
    if (code !== 0) throw new Error(stderr)
    return stdout.trim()
  }

  /** Tells it to leave, and gives its exit code. */
  async stop(): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode
    const ended = once(this.child, 'exit')
    this.child.kill('SIGTERM')
    await ended
    return this.child.exitCode
  }

  async tools(token: string = this.token): Promise<Tools> {
    const transport = new StreamableHTTPClientTransport(new URL(`${this.url}/mcp`), {
      requestInit: { headers: { authorization: `Bearer ${token}` } },
    })
    const client = new Client({ name: 'door', version: '1.0.0' })
    await client.connect(transport)
    onTestFinished(() => client.close())
    return new Tools(client)
  }

  async modern(token: string = this.token): Promise<ModernClient> {
    const transport = new ModernHttp(new URL(`${this.url}/mcp`), {
      requestInit: { headers: { authorization: `Bearer ${token}` } },
    })
    const client = new ModernClient({ name: 'door', version: '2.0.0' }, { versionNegotiation: { mode: 'auto' } })
    await client.connect(transport)
    onTestFinished(() => client.close())
    return client
  }

  /** A bare request to /mcp; by default one that lists the tools. */
  async post(
    options: {
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: string | Uint8Array<ArrayBuffer>
      readonly method?: string
    } = {},
  ): Promise<Response> {
    const body = options.body ?? JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
    return await fetch(`${this.url}/mcp`, {
      method: options.method ?? 'POST',
      headers: {
        authorization: `Bearer ${this.token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...options.headers,
      },
      ...(options.method === 'GET' ? {} : { body }),
    })
  }
}
