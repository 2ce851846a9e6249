import { z } from 'zod'

import { JsonServer, Refusal, type MakeVectors, type Reply, type SeenRequest } from './json-server.ts'

const embeddingRequest = z.strictObject({
  input: z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(2_048)]),
  model: z.string(),
  encoding_format: z.enum(['float', 'base64']).optional(),
  dimensions: z.number().int().positive().optional(),
  user: z.string().optional(),
})

export type EmbeddingRequest = z.infer<typeof embeddingRequest>

function refusal(status: number, code: string | null): Refusal {
  return new Refusal(status, {
    error: { message: 'provider text', type: 'invalid_request_error', param: null, code },
  })
}

/** A stand-in of OpenAI's `/v1/embeddings`, strict about what it takes. It answers out of order, as it may. */
export class OpenAiStandIn extends JsonServer {
  readonly model = 'stand-in-small'
  readonly dimensions = 12
  /** Undefined: no key is asked for, as local servers do. */
  apiKey: string | undefined

  static async start(apiKey?: string): Promise<OpenAiStandIn> {
    const standIn = new OpenAiStandIn()
    standIn.apiKey = apiKey
    await standIn.listen()
    return standIn
  }

  get embeddingRequests(): EmbeddingRequest[] {
    return this.requests.map(({ text }) => embeddingRequest.parse(JSON.parse(text)))
  }

  protected override answer({ method, path, headers, text }: SeenRequest, makeVectors: MakeVectors): Reply {
    if (path !== '/v1/embeddings') throw refusal(404, 'unknown_url')
    if (method !== 'POST') throw refusal(405, 'method_not_supported')
    if (this.apiKey !== undefined && headers.authorization !== `Bearer ${this.apiKey}`)
      throw refusal(401, 'invalid_api_key')
    if (this.apiKey === undefined && headers.authorization !== undefined) throw refusal(400, null)
    if (!(headers['content-type'] ?? '').startsWith('application/json')) throw refusal(400, null)
    const parsed = embeddingRequest.safeParse(JSON.parse(text))
    if (!parsed.success) throw refusal(400, null)
    const { input, model, dimensions = this.dimensions, encoding_format: format } = parsed.data
    if (model !== this.model) throw refusal(404, 'model_not_found')
    const vectors = makeVectors([input].flat(), dimensions)
    const data = vectors.map((embedding, index) => ({
      object: 'embedding',
      index,
      embedding: format === 'float' ? embedding : Buffer.from(Float32Array.from(embedding).buffer).toString('base64'),
    }))
    return {
      status: 200,
      body: { object: 'list', data: data.toReversed(), model, usage: { prompt_tokens: 8, total_tokens: 8 } },
    }
  }
}
