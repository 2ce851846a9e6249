import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import type { HostContext } from '../../src/host.ts'

/** A session of a file store of OpenClaw (to 2026.7), written row by row as OpenClaw does. */
export class TranscriptFile {
  readonly path: string
  readonly context: HostContext & { readonly sessionId: string; readonly sessionKey: string }
  #rows = 0
  #last: string | null = null
  #model = 'mock-a'

  constructor(stateDirectory: string, sessionId: string, options: { readonly sessionKey?: string } = {}) {
    const directory = join(stateDirectory, 'agents', 'main', 'sessions')
    mkdirSync(directory, { recursive: true })
    this.path = join(directory, `${sessionId}.jsonl`)
    this.context = {
      agentId: 'main',
      sessionId,
      sessionKey: options.sessionKey ?? `agent:main:${sessionId}`,
      trigger: 'user',
    }
    this.row({ type: 'session', version: 3, id: sessionId, timestamp: this.#time(), cwd: '/tmp' })
    this.entry('model_change', { provider: 'mock', modelId: 'mock-a' })
  }

  get rows(): number {
    return this.#rows
  }

  row(row: object): void {
    appendFileSync(this.path, `${JSON.stringify(row)}\n`)
    this.#rows += 1
  }

  entry(type: string, fields: object): void {
    const id = `e${this.#rows}`
    if ('modelId' in fields) this.#model = String(fields.modelId)
    this.row({ type, id, parentId: this.#last, timestamp: this.#time(), ...fields })
    this.#last = id
  }

  /** Enters the session into the map of sessions, where OpenClaw finds it by its key. */
  enter(fields: object = {}): void {
    const path = join(dirname(this.path), 'sessions.json')
    const map: object = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {}
    const { sessionId, sessionKey } = this.context
    writeFileSync(path, JSON.stringify({ ...map, [sessionKey]: { sessionId, sessionFile: this.path, ...fields } }))
  }

  /** A question and its answer, the answer by way of a tool. */
  turn(question: string, answer: string): void {
    this.entry('message', { message: { role: 'user', content: question, timestamp: 1 } })
    const call = { type: 'toolCall', id: `call${this.#rows}`, name: 'exec', arguments: { command: 'ls' } }
    this.entry('message', { message: this.#assistant([call]) })
    const content = [{ type: 'text', text: 'a.txt\n\u{1f600} 漢字' }]
    this.entry('message', {
      message: { role: 'toolResult', toolCallId: call.id, toolName: 'exec', content, isError: false },
    })
    this.entry('message', { message: this.#assistant([{ type: 'text', text: answer }]) })
  }

  #assistant(content: readonly object[]): object {
    const usage = { input: 10, output: 5, cacheRead: 0, cacheWrite: 0, totalTokens: 15, cost: { total: 0.00004 } }
    return {
      role: 'assistant',
      content,
      api: 'openai-completions',
      provider: 'mock',
      model: this.#model,
      usage,
      stopReason: 'stop',
    }
  }

  #time(): string {
    return new Date(Date.UTC(2026, 6, 1, 12, 0, this.#rows)).toISOString()
  }
}
