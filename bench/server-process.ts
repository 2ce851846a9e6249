import { execFileSync, spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'

import { z } from 'zod'

import { distPath } from '../test/support/built.ts'
import { repositoryRoot } from './machine.ts'

const messageSchema = z.looseObject({
  id: z.number().optional(),
  result: z.looseObject({ isError: z.boolean().optional() }).optional(),
})

/** How a server is started: both kinds by a plain `node`, so that what is compared is what they load. */
export interface ServerCommand {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

export function productCommand(env: Readonly<Record<string, string>>): ServerCommand {
  return { args: [distPath('cli/main.js')], env }
}

/** `--eval` because Node 20 runs no file whose name ends in `.ts`; imports are then found from the working directory. */
export function emptyServerCommand(env: Readonly<Record<string, string>>): ServerCommand {
  const source = readFileSync(join(repositoryRoot, 'bench', 'empty-server.ts'), 'utf8')
  return { args: ['--input-type=module', '--eval', source], env }
}

/** A server process, spoken to without a client library, whose own work would be measured too. */
export class ServerProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #startedAt = performance.now()
  readonly #waiting = new Map<number, { resolve: () => void; reject: (error: Error) => void }>()
  readonly #exited: Promise<unknown>
  #lastId = 0

  constructor(command: ServerCommand) {
    this.#child = spawn(process.execPath, [...command.args], {
      cwd: repositoryRoot,
      env: command.env,
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#exited = once(this.#child, 'close')
    this.#child.on('exit', (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`The server left with code ${code}`))
    })
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#read(line))
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('The server process could not be started')
    return this.#child.pid
  }

  /** Sends a request and returns how many milliseconds after the start of the process its answer came. */
  async request(method: string, params: Readonly<Record<string, unknown>> = {}): Promise<number> {
    const id = ++this.#lastId
    const answered = new Promise<void>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
    })
    this.#send({ jsonrpc: '2.0', id, method, params })
    await answered
    return performance.now() - this.#startedAt
  }

  /** The handshake; the milliseconds until its answer. */
  async initialize(): Promise<number> {
    const took = await this.request('initialize', {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'bench', version: '1.0.0' },
    })
    this.#send({ jsonrpc: '2.0', method: 'notifications/initialized' })
    return took
  }

  /** Saves a message as a new session; the milliseconds from the start of the process until it is acknowledged. */
  async save(content: string): Promise<number> {
    return this.request('tools/call', { name: 'save_message', arguments: { content, sender: 'user', role: 'user' } })
  }

  /** Ends the process as a client does that goes away. */
  async close(): Promise<void> {
    this.#child.stdin.end()
    await this.#exited
  }

  #send(message: unknown): void {
    this.#child.stdin.write(`${JSON.stringify(message)}\n`)
  }

  #read(line: string): void {
    const message = messageSchema.parse(JSON.parse(line))
    if (message.id === undefined) return
    const waiting = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    // An answer in time that is a refusal would look like a fast server.
    if (message.result === undefined || message.result.isError === true)
      waiting?.reject(new Error(`The server refused a request: ${line.slice(0, 200)}`))
    else waiting?.resolve()
  }
}

/** Resident memory of a process in MiB. Pages that processes share, the program `node` above all, count in each. */
export function residentMiB(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024
}
