import { z } from 'zod'

import { JsonServer, Refusal, type MakeVectors, type Reply, type SeenRequest } from './json-server.ts'

const entry = z.strictObject({
  model: z.string(),
  content: z.strictObject({
    role: z.literal('user').optional(),
    parts: z.array(z.strictObject({ text: z.string().min(1) })).length(1),
  }),
  taskType: z.enum(['RETRIEVAL_DOCUMENT', 'RETRIEVAL_QUERY']).optional(),
  outputDimensionality: z.number().int().min(1).max(3_072).optional(),
})

const batchRequest = z.strictObject({ requests: z.array(entry).min(1).max(100) })

export type GeminiBatch = z.infer<typeof batchRequest>

function refusal(code: number, status: string, details: readonly object[] = []): Refusal {
  return new Refusal(code, geminiError(code, status, details))
}

/** An error as Google's APIs write it, with words that must not come back to a caller. */
export function geminiError(code: number, status: string, details: readonly object[] = []): object {
  return { error: { code, message: 'provider text', status, ...(details.length === 0 ? {} : { details }) } }
}

/** How a key that is none is told of, with status 400. */
export const invalidKey = {
  '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
  reason: 'API_KEY_INVALID',
  domain: 'googleapis.com',
}

export function retryInfo(retryDelay: string): object {
  return { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay }
}

/** A stand-in of the Gemini API's `batchEmbedContents`, strict about what it takes. */
export class GeminiStandIn extends JsonServer {
  readonly apiKey = 'AIza-stand-in'
  readonly models: ReadonlySet<string> = new Set(['models/gemini-embedding-001', 'models/gemini-embedding-2'])

  static async start(): Promise<GeminiStandIn> {
    const standIn = new GeminiStandIn()
    await standIn.listen()
    return standIn
  }

  /** What was asked for, request by request. */
  get batches(): GeminiBatch[] {
    return this.requests.map(({ text }) => batchRequest.parse(JSON.parse(text)))
  }

  protected override answer({ method, path, headers, text }: SeenRequest, makeVectors: MakeVectors): Reply {
    const model = /^\/v1beta\/(models\/[a-z0-9-]+):batchEmbedContents$/.exec(path)?.at(1)
    if (method !== 'POST' || model === undefined) throw refusal(404, 'NOT_FOUND')
    if (headers['x-goog-api-key'] !== this.apiKey) throw refusal(400, 'INVALID_ARGUMENT', [invalidKey])
    if (!(headers['content-type'] ?? '').startsWith('application/json')) throw refusal(400, 'INVALID_ARGUMENT')
    if (!this.models.has(model)) throw refusal(404, 'NOT_FOUND')
    // Its JSON parser takes no half of a surrogate pair.
    if (/\\ud[89a-f]/i.test(text)) throw refusal(400, 'INVALID_ARGUMENT')
    const parsed = batchRequest.safeParse(JSON.parse(text))
    if (!parsed.success) throw refusal(400, 'INVALID_ARGUMENT')
    const { requests } = parsed.data
    if (requests.some((request) => request.model !== model)) throw refusal(400, 'INVALID_ARGUMENT')
    const dimensions = requests.at(0)?.outputDimensionality ?? 3_072
    const texts = requests.map(({ content }) => content.parts.map((part) => part.text).join(''))
    return { status: 200, body: { embeddings: makeVectors(texts, dimensions).map((values) => ({ values })) } }
  }
}
