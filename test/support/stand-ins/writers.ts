import { z } from 'zod'

import { geminiError, invalidKey } from './gemini.ts'
import { JsonServer, Refusal, type Reply, type SeenRequest } from './json-server.ts'

const chatRequest = z.strictObject({
  model: z.string(),
  messages: z.array(z.strictObject({ role: z.enum(['system', 'user', 'assistant']), content: z.string() })).min(1),
  max_tokens: z.number().int().positive().optional(),
  temperature: z.number().min(0).max(2).optional(),
})

const content = z.strictObject({
  role: z.string().optional(),
  parts: z.array(z.strictObject({ text: z.string().min(1) })).min(1),
})
const generateRequest = z.strictObject({
  systemInstruction: content.optional(),
  contents: z.array(content).min(1),
  safetySettings: z.array(z.strictObject({ category: z.string(), threshold: z.string() })).optional(),
  generationConfig: z
    .strictObject({
      temperature: z.number().optional(),
      maxOutputTokens: z.number().int().positive().optional(),
      responseMimeType: z.literal('application/json').optional(),
      responseJsonSchema: z.looseObject({ type: z.literal('object') }).optional(),
    })
    // What is to be of a form is to be JSON.
    .refine((config) => config.responseJsonSchema === undefined || config.responseMimeType !== undefined)
    .optional(),
})

function refusal(status: number): Refusal {
  return new Refusal(status, {
    error: { message: 'provider text', type: 'invalid_request_error', param: null, code: null },
  })
}

/** A stand-in of OpenAI's `/v1/chat/completions`, strict about what it takes. It answers what it is told to. */
export class ChatStandIn extends JsonServer {
  readonly model = 'stand-in-chat'
  /** Undefined: no key is asked for, as local servers do. */
  apiKey: string | undefined
  /** What it answers: always the same, or what follows from what it is asked. */
  says: string | ((asked: string) => string) = ''

  static async start(apiKey?: string): Promise<ChatStandIn> {
    const standIn = new ChatStandIn()
    standIn.apiKey = apiKey
    await standIn.listen()
    return standIn
  }

  /** What the user's messages were, request by request. */
  get asked(): string[] {
    return this.requests.map(
      ({ text }) => chatRequest.parse(JSON.parse(text)).messages.find(({ role }) => role === 'user')?.content ?? '',
    )
  }

  protected override answer({ method, path, headers, text }: SeenRequest): Reply {
    if (path !== '/v1/chat/completions' || method !== 'POST') throw refusal(404)
    const expected = this.apiKey === undefined ? undefined : `Bearer ${this.apiKey}`
    if (headers.authorization !== expected) throw refusal(401)
    const parsed = chatRequest.safeParse(JSON.parse(text))
    if (!parsed.success) throw refusal(400)
    if (parsed.data.model !== this.model) throw refusal(404)
    const asked = parsed.data.messages.find(({ role }) => role === 'user')?.content ?? ''
    const message = { role: 'assistant', content: typeof this.says === 'string' ? this.says : this.says(asked) }
    return {
      status: 200,
      body: { id: 'chat', object: 'chat.completion', choices: [{ index: 0, message, finish_reason: 'stop' }] },
    }
  }
}

/** A stand-in of the Gemini API's `generateContent`, strict about what it takes. It answers what it is told to. */
export class GeminiWriterStandIn extends JsonServer {
  readonly apiKey = 'AIza-stand-in'
  says = ''

  static async start(): Promise<GeminiWriterStandIn> {
    const standIn = new GeminiWriterStandIn()
    await standIn.listen()
    return standIn
  }

  protected override answer({ method, path, headers, text }: SeenRequest): Reply {
    const isKnown = path === '/v1beta/models/gemini-3.5-flash-lite:generateContent'
    if (method !== 'POST' || !isKnown) throw new Refusal(404, geminiError(404, 'NOT_FOUND'))
    if (headers['x-goog-api-key'] !== this.apiKey)
      throw new Refusal(400, geminiError(400, 'INVALID_ARGUMENT', [invalidKey]))
    if (!generateRequest.safeParse(JSON.parse(text)).success)
      throw new Refusal(400, geminiError(400, 'INVALID_ARGUMENT'))
    // What was held back has a candidate without content.
    const candidate =
      this.says === '' ? { finishReason: 'SAFETY' } : { content: { role: 'model', parts: [{ text: this.says }] } }
    return { status: 200, body: { candidates: [candidate] } }
  }
}
