import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { vi } from 'vitest'

import type { Home } from '../../../../test/door/support/home.ts'
import { freePort } from '../../../../test/support/postgres.ts'

const plugin = fileURLToPath(new URL('../..', import.meta.url))
const client = fileURLToPath(new URL('gateway-client.mjs', import.meta.url))
const token = 'of-this-test'

export interface GatewayRequest {
  readonly method: string
  readonly params: Readonly<Record<string, unknown>>
  readonly waits?: boolean
  readonly keyOf?: number
}

export interface GatewayReply {
  readonly ok: boolean
  readonly payload?: Readonly<Record<string, unknown>>
}

export interface GatewayOptions {
  /** The packages of one OpenClaw, and the program that runs it. */
  readonly modules: string
  readonly node: string
  readonly modelUrl: string
  readonly recallTimeoutMs?: number
}

/** A gateway of OpenClaw with the plugin, in a home of its own. One that is started after another goes on with its state. */
export class Gateway {
  readonly state: string
  /** What it wrote since it was started. */
  output = ''
  readonly #process: ChildProcess
  readonly #node: string
  readonly #port: number

  private constructor(options: { process: ChildProcess; node: string; port: number; state: string }) {
    this.#process = options.process
    this.#node = options.node
    this.#port = options.port
    this.state = options.state
    for (const stream of [this.#process.stdout, this.#process.stderr])
      stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()))
  }

  static async start(home: Home, given: GatewayOptions): Promise<Gateway> {
    const directory = home.directory('openclaw')
    const state = join(directory, 'state')
    const programs = join(directory, 'bin')
    for (const path of [state, programs, join(directory, 'work')]) mkdirSync(path, { recursive: true })
    rmSync(join(programs, 'verbatim'), { force: true })
    symlinkSync(home.program, join(programs, 'verbatim'))
    const port = await freePort()
    writeFileSync(join(directory, 'openclaw.json'), JSON.stringify(config(home, { ...given, directory, port })))
    const env = {
      PATH: [dirname(given.node), programs, '/usr/bin', '/bin'].join(':'),
      HOME: directory,
      OPENCLAW_STATE_DIR: state,
      OPENCLAW_CONFIG_PATH: join(directory, 'openclaw.json'),
      NO_COLOR: '1',
    }
    const args = [join(given.modules, 'openclaw', 'openclaw.mjs'), 'gateway', 'run', '--port', String(port)]
    const process = spawn(given.node, args, { env, cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] })
    const gateway = new Gateway({ process, node: given.node, port, state })
    const isReady = () => {
      if (!gateway.output.includes('[gateway] ready')) throw new Error(`Not ready: ${gateway.output}`)
    }
    try {
      // A few seconds, and minutes on a machine that has much else to do.
      await vi.waitFor(isReady, { timeout: 600_000, interval: 200 })
    } catch (error) {
      await gateway.stop('SIGKILL')
      throw error
    }
    return gateway
  }

  async converse(requests: readonly GatewayRequest[]): Promise<readonly GatewayReply[]> {
    const talk = spawn(this.#node, [client], { stdio: ['pipe', 'pipe', 'pipe'] })
    const out: Buffer[] = []
    const err: Buffer[] = []
    talk.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    talk.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    talk.stdin.end(JSON.stringify({ url: `ws://127.0.0.1:${this.#port}`, token, requests }))
    await once(talk, 'close')
    if (talk.exitCode !== 0) throw new Error(`The gateway was not to be talked to: ${Buffer.concat(err).toString()}`)
    return JSON.parse(Buffer.concat(out).toString('utf8'))
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const exited = once(this.#process, 'exit')
    this.#process.kill(signal)
    await exited
  }
}

function config(home: Home, given: GatewayOptions & { readonly directory: string; readonly port: number }): object {
  const { directory, port, modelUrl, recallTimeoutMs = 10_000 } = given
  const cost = { input: 1, output: 2, cacheRead: 0, cacheWrite: 0 }
  const model = { reasoning: false, input: ['text'], cost, contextWindow: 128_000, maxTokens: 8_000 }
  const models = ['mock-a', 'mock-b'].map((id) => ({ id, name: id, ...model }))
  const isVerbatims = (name: string) => name.startsWith('VERBATIM_') || name === 'DATABASE_URL'
  const env = Object.fromEntries(Object.entries(home.env).filter(([name]) => isVerbatims(name)))
  const server = { command: 'node', args: [join(plugin, 'dist', 'server.js')], env, requestTimeoutMs: 60_000 }
  const hooks = { allowConversationAccess: true }
  return {
    gateway: { mode: 'local', port, bind: 'loopback', auth: { mode: 'token', token } },
    agents: {
      defaults: { workspace: join(directory, 'work'), skipBootstrap: true, model: { primary: 'mock/mock-a' } },
    },
    models: {
      mode: 'replace',
      providers: { mock: { baseUrl: modelUrl, apiKey: 'none', api: 'openai-completions', models } },
    },
    mcp: { servers: { verbatim: server } },
    // The model's script names the tools themselves.
    tools: { toolSearch: false },
    plugins: {
      load: { paths: [plugin] },
      entries: { verbatim: { enabled: true, hooks, config: { env, recallTimeoutMs } } },
    },
  }
}

/** The newest release and the last one that stores sessions in files, as `.ci/openclaw` installs them. */
export const openclawVersions = ['2026.9.6', '2026.7.35'] as const

/** Where `.ci/openclaw` has put what `TEST_OPENCLAW` names, or why there is none. */
export function findOpenclaw(version: string): { readonly modules: string; readonly node: string } | undefined {
  const directory = process.env['TEST_OPENCLAW'] ?? ''
  const modules = join(directory, version, 'node_modules')
  const node = join(directory, version, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node')
  return directory !== '' && existsSync(node) ? { modules, node } : undefined
}
