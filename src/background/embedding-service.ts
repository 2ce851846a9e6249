import { once } from 'node:events'
import { chmod, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'

import { z } from 'zod'

import { purposeHeader, retryHeader } from '../adapters/embedders/openai-compatible-embedder.ts'
import { limits } from '../limits.ts'
import type { Embedder } from '../ports/embedder.ts'
import { failureReply, RequestRefusal, type Reply } from './embedding-service-errors.ts'

export interface EmbeddingServiceOptions {
  readonly embedder: Embedder
  /** Of a Unix socket that only this user may connect to, or of a named pipe. The caller owns the path: a socket that is left there is replaced. */
  readonly path: string
}

const requestSchema = z.object({
  input: z.union([z.string(), z.array(z.string())]).transform((input) => [input].flat()),
  model: z.string().optional(),
  dimensions: z.number().optional(),
  encoding_format: z.enum(['float', 'base64']).default('float'),
})

const purposeSchema = z.enum(['document', 'query']).default('document')
const retrySchema = z.coerce.number().int().min(0).max(limits.searchMeaningOnlyMs).optional()

/**
 * An embedder for the other processes of this machine, as OpenAI's `POST /v1/embeddings` on a local socket, so that a
 * model is loaded once and not in each of them. `GET /v1/models` says which model it is. Headers say what the texts
 * are for and how long what failed may be tried again; a caller that goes away is not worked for any longer.
 */
export class EmbeddingService {
  readonly #embedder: Embedder
  readonly #server: Server

  private constructor(embedder: Embedder) {
    this.#embedder = embedder
    this.#server = createServer((request, response) => void this.#serve(request, response))
    // A connection that cannot be accepted is its client's to try again; it must not end the process.
    this.#server.on('error', () => undefined)
  }

  /** Listens when the promise resolves. Rejects with the error of the system. */
  static async start({ embedder, path }: EmbeddingServiceOptions): Promise<EmbeddingService> {
    const service = new EmbeddingService(embedder)
    if (process.platform !== 'win32') await rm(path, { force: true })
    service.#server.listen(path)
    await once(service.#server, 'listening')
    if (process.platform !== 'win32') await chmod(path, 0o600)
    return service
  }

  /** Ends all connections; the embedder is the caller's to close. */
  async close(): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  /** Never rejects. */
  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    const reply = await this.#answer(request, gone.signal).catch(failureReply)
    if (response.destroyed) return
    response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers })
    response.end(JSON.stringify(reply.body))
    // What is left of a body that was too long: a client that still writes would not see the answer.
    request.resume()
  }

  async #answer(request: IncomingMessage, signal: AbortSignal): Promise<Reply> {
    // Not by `new URL`, which throws at some of what a client may write here.
    const [path] = (request.url ?? '').split('?')
    if (path === '/v1/models') {
      requireMethod(request, 'GET')
      return this.#models(signal)
    }
    if (path !== '/v1/embeddings') throw new RequestRefusal(404, 'unknown_url', 'There is no such path')
    requireMethod(request, 'POST')
    return this.#embeddings(request, signal)
  }

  async #models(signal: AbortSignal): Promise<Reply> {
    const model = await this.#embedder.describe({ signal })
    const entry = { id: model.name, object: 'model', created: 0, owned_by: model.provider, verbatim: model }
    return { status: 200, body: { object: 'list', data: [entry] } }
  }

  async #embeddings(request: IncomingMessage, signal: AbortSignal): Promise<Reply> {
    const { input, model, dimensions, encoding_format: format } = await readRequest(request)
    const purpose = purposeSchema.safeParse(request.headers[purposeHeader])
    if (!purpose.success)
      throw new RequestRefusal(400, null, `The header ${purposeHeader} must be "document" or "query"`)
    const retryMs = retrySchema.safeParse(request.headers[retryHeader])
    if (!retryMs.success)
      throw new RequestRefusal(
        400,
        null,
        `The header ${retryHeader} must be a whole number from 0 to ${limits.searchMeaningOnlyMs}`,
      )
    if (model !== undefined || dimensions !== undefined) {
      const described = await this.#embedder.describe({ signal })
      if (model !== undefined && model !== described.name)
        throw new RequestRefusal(404, 'model_not_found', 'There is no such model; GET /v1/models says which there is')
      if (dimensions !== undefined && dimensions !== described.dimensions)
        throw new RequestRefusal(400, null, `The model has ${described.dimensions} dimensions, and cuts none off`)
    }
    const vectors = await this.#embedder.embed(input, { purpose: purpose.data, retryMs: retryMs.data, signal })
    // Now it costs no call, where only an answer says how many dimensions there are.
    const { name } = await this.#embedder.describe({ signal })
    const data = vectors.map((vector, index) => ({
      object: 'embedding',
      index,
      embedding: format === 'float' ? [...vector] : base64Of(vector),
    }))
    // Nobody pays for tokens here, so nobody counts them.
    return { status: 200, body: { object: 'list', data, model: name, usage: { prompt_tokens: 0, total_tokens: 0 } } }
  }
}

function requireMethod(request: IncomingMessage, method: string): void {
  if (request.method === method) return
  throw new RequestRefusal(405, 'method_not_supported', `Use ${method}`)
}

async function readRequest(request: IncomingMessage): Promise<z.output<typeof requestSchema>> {
  const parsed = requestSchema.safeParse(parseJson(await readBody(request)))
  if (parsed.success) return parsed.data
  throw new RequestRefusal(400, null, 'The body must be an object with "input", a string or an array of strings')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new RequestRefusal(400, null, 'The body must be JSON')
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  // Left open where it is not read to its end, so that there can be an answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    if (!Buffer.isBuffer(chunk)) continue
    sizeBytes += chunk.length
    if (sizeBytes > limits.embeddingRequestBytesMax)
      throw new RequestRefusal(413, null, `The body must be <= ${limits.embeddingRequestBytesMax} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

/** Numbers of 32 bits, low byte first, as OpenAI's clients read them. */
function base64Of(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * 4)
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4)
  return bytes.toString('base64')
}
