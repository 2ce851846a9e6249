import { afterEach, beforeAll } from 'vitest'

import { useHome, type Home } from './home.ts'
import type { Arguments, ToolResult, Tools } from './tools.ts'

/** What no reply to a caller may hold: where the program is, its stack, its SQL, a defect. */
export const leak =
  /\n\s+at |node_modules|\.[jt]s:\d|\/verbatim-door-|internal error|syntax error|violates|invalid byte sequence|PostgresError/

/** One server that is sent bad things, with a session "ok" that it must still find after each test. */
export class BadInput {
  readonly home: Home
  /** Error replies that gave something away, or did not say what is wrong. */
  readonly poorErrors: string[] = []
  #tools: Tools | undefined

  constructor(home: Home) {
    this.home = home
  }

  get tools(): Tools {
    if (this.#tools === undefined) throw new Error('the server is started before the first test')
    return this.#tools
  }

  async start(): Promise<void> {
    this.#tools = await this.home.tools()
    await this.tools.saveAll({
      session_id: 'ok',
      messages: [{ content: 'We decided on berth 14.', sender: 'Ada', message_id: 'm' }],
    })
  }

  /** Whatever a test sent, the same server goes on. */
  async expectToGoOn(): Promise<void> {
    const found = await this.tools.hits({ query: '"We decided on berth 14"' })
    if (found.join() !== 'We decided on berth 14.') throw new Error(`The next call found ${JSON.stringify(found)}`)
    const { complaints } = this.home
    if (complaints !== '') throw new Error(`The server complained: ${complaints.slice(0, 500)}`)
  }

  /** Calls a tool with something bad: the reply is a result, or an error that says what is wrong and gives nothing away. */
  async attempt(tool: string, args: Arguments): Promise<ToolResult> {
    const result = await this.tools.call(tool, args)
    if (result.isError && (leak.test(result.text) || result.text.length < 10))
      this.poorErrors.push(`${tool}: ${result.text}`)
    return result
  }

  /** Saves contents in batches and reads them back, as the JSON that they were. */
  async keep(sessionId: string, contents: readonly unknown[]): Promise<string[]> {
    for (let at = 0; at < contents.length; at += 500) {
      const messages = contents.slice(at, at + 500).map((content) => ({ content, sender: 'Ada' }))
      await this.tools.saveAll({ session_id: sessionId, messages })
    }
    const kept = await this.tools.allMessages(sessionId, { limit: 500, max_tokens: 25_000 })
    const whole = new Map<number, string>()
    for (const { seq, content, content_part: part } of kept)
      whole.set(seq, (whole.get(seq) ?? '') + (part?.text ?? JSON.stringify(content)))
    return [...whole.values()]
  }
}

/** One server for a test file that sends it bad things. */
export function useBadInput(): BadInput {
  const bad = new BadInput(useHome())
  beforeAll(() => bad.start())
  afterEach(() => bad.expectToGoOn())
  return bad
}

export function jsonOf(contents: readonly unknown[]): string[] {
  return contents.map((content) => JSON.stringify(content))
}
