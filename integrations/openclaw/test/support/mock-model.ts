import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { z } from 'zod'

const requestSchema = z.looseObject({
  model: z.string(),
  stream: z.boolean().optional(),
  messages: z.array(z.looseObject({ role: z.string(), content: z.unknown() })),
  tools: z.array(z.looseObject({ function: z.looseObject({ name: z.string() }) })).optional(),
})
type ChatRequest = z.infer<typeof requestSchema>

interface Reply {
  readonly text?: string
  readonly call?: { readonly name: string; readonly arguments: object }
}

/** A model on OpenAI's wire of chat completions. It calls a tool where what was said holds `use <tool> <JSON>`. */
export class MockModel {
  readonly #server: Server
  /** The messages of every request, as JSON. */
  readonly asked: string[] = []
  #calls = 0

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response))
  }

  static async start(): Promise<MockModel> {
    const model = new MockModel()
    model.#server.listen(0, '127.0.0.1')
    await once(model.#server, 'listening')
    return model
  }

  get url(): string {
    const address: AddressInfo | string | null = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('The model is not listening')
    return `http://127.0.0.1:${address.port}/v1`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(Buffer.from(chunk))
    const parsed = requestSchema.safeParse(JSON.parse(Buffer.concat(chunks).toString('utf8') || '{}'))
    if (!parsed.success) {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ object: 'list', data: [] }))
      return
    }
    this.asked.push(JSON.stringify(parsed.data.messages))
    const count = ++this.#calls
    const reply = replyTo(parsed.data)
    if (parsed.data.stream === true) stream(response, { model: parsed.data.model, count, reply })
    else whole(response, { model: parsed.data.model, count, reply })
  }
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  const blocks = z.array(z.looseObject({ text: z.string().optional() })).safeParse(content)
  return (blocks.data ?? []).map(({ text }) => text ?? '').join('\n')
}

function replyTo({ messages, tools }: ChatRequest): Reply {
  // What is said comes with messages of the host's own after it.
  const from = messages.findLastIndex(({ role }) => role !== 'user' && role !== 'system' && role !== 'developer') + 1
  const said = messages.slice(from).filter(({ role }) => role === 'user')
  const text = said.map(({ content }) => textOf(content)).join('\n')
  const wanted = /\buse (?<tool>\w+) (?<input>\{.*\})/u.exec(text)?.groups
  const offered = tools?.some((tool) => tool.function.name === wanted?.['tool']) === true
  if (offered && wanted !== undefined)
    return { call: { name: wanted['tool'] ?? '', arguments: JSON.parse(wanted['input'] ?? '{}') } }
  return { text: `Understood \u{1f43e} after ${messages.length} messages` }
}

interface Answer {
  readonly model: string
  readonly count: number
  readonly reply: Reply
}

const usage = {
  prompt_tokens: 1_000,
  completion_tokens: 20,
  total_tokens: 1_020,
  prompt_tokens_details: { cached_tokens: 100 },
}

function toolCalls({ count, reply: { call } }: Answer) {
  if (call === undefined) return undefined
  const made = { name: call.name, arguments: JSON.stringify(call.arguments) }
  return [{ index: 0, id: `call_${count}`, type: 'function', function: made }]
}

function whole(response: ServerResponse, answer: Answer): void {
  const calls = toolCalls(answer)
  const message = { role: 'assistant', content: answer.reply.text ?? null, ...(calls ? { tool_calls: calls } : {}) }
  const choice = { index: 0, message, finish_reason: calls === undefined ? 'stop' : 'tool_calls' }
  response.writeHead(200, { 'content-type': 'application/json' })
  const { count, model } = answer
  response.end(
    JSON.stringify({ id: `c${count}`, object: 'chat.completion', created: 1, model, choices: [choice], usage }),
  )
}

function stream(response: ServerResponse, answer: Answer): void {
  const calls = toolCalls(answer)
  const { count, model, reply } = answer
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const send = (choices: readonly object[], more: object = {}) => {
    const chunk = { id: `c${count}`, object: 'chat.completion.chunk', created: 1, model, choices, ...more }
    response.write(`data: ${JSON.stringify(chunk)}\n\n`)
  }
  const delta = calls === undefined ? { content: reply.text } : { tool_calls: calls }
  send([{ index: 0, delta: { role: 'assistant', ...delta }, finish_reason: null }])
  send([{ index: 0, delta: {}, finish_reason: calls === undefined ? 'stop' : 'tool_calls' }])
  send([], { usage })
  response.end('data: [DONE]\n\n')
}
