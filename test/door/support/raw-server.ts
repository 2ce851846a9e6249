import type { ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'

import { isJsonObject } from '../../../src/model/json/json.ts'

type Message = Readonly<Record<string, unknown>>

const initialize = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'raw', version: '1.0.0' },
}

/** A server process and its pipes: for what an SDK client would not send, or would hide. */
export class RawServer {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>
  /** Every line of stdout, as it came. */
  readonly lines: string[] = []
  readonly exit: Promise<number | null>
  stderr = ''
  #rest = ''
  #waiting: (() => void)[] = []

  constructor(child: ChildProcessByStdio<Writable, Readable, Readable>) {
    this.child = child
    this.exit = once(child, 'close').then(() => {
      this.#wake()
      return child.exitCode
    })
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (this.#rest + chunk).split('\n')
      this.#rest = lines.pop() ?? ''
      this.lines.push(...lines)
      this.#wake()
    })
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (this.stderr += chunk))
    // A server that has left closes its end of the pipe; the test sees that in `exit`.
    child.stdin.on('error', () => undefined)
  }

  /** What stdout holds beyond its last whole line: nothing, of a server that ended properly. */
  get rest(): string {
    return this.#rest
  }

  get messages(): Message[] {
    return this.lines.map((line) => {
      const message: unknown = JSON.parse(line)
      if (!isJsonObject(message)) throw new Error(`stdout holds a line that is no JSON object: "${line.slice(0, 80)}"`)
      return message
    })
  }

  write(text: string | Uint8Array): void {
    this.child.stdin.write(text)
  }

  send(message: unknown): void {
    this.write(`${JSON.stringify(message)}\n`)
  }

  request(id: number | string, method: string, params: unknown = {}): void {
    this.send({ jsonrpc: '2.0', id, method, params })
  }

  async call(id: number | string, tool: string, args: unknown): Promise<Message> {
    this.request(id, 'tools/call', { name: tool, arguments: args })
    return this.answer(id)
  }

  async initialize(): Promise<Message> {
    this.request('initialize', 'initialize', initialize)
    const answer = await this.answer('initialize')
    this.send({ jsonrpc: '2.0', method: 'notifications/initialized' })
    return answer
  }

  /** The first message that fits, waiting for it. Fails when the server ends or nothing comes in time. */
  async find(fits: (message: Message) => boolean, withinMs = 15_000): Promise<Message> {
    const deadline = Date.now() + withinMs
    for (;;) {
      const found = this.messages.find(fits)
      if (found !== undefined) return found
      const left = deadline - Date.now()
      if (left <= 0 || this.child.exitCode !== null)
        throw new Error(`No such message came: ${this.lines.join('\n').slice(0, 500)}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#waiting.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }

  async answer(id: number | string, withinMs = 15_000): Promise<Message> {
    return this.find((message) => message['id'] === id && message['method'] === undefined, withinMs)
  }

  /** Ends stdin, and gives the exit code when the process has ended by itself. */
  async end(): Promise<number | null> {
    this.child.stdin.end()
    return this.exit
  }

  async kill(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGKILL')
      await this.exit
    }
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}
