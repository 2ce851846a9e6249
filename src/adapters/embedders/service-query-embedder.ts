import { createHash } from 'node:crypto'

import { codeOf } from '../../errors.ts'
import type { Cache, Caches } from '../../model/caches.ts'
import type { EmbeddingModel } from '../../ports/embedder.ts'
import { ProviderError, type ProviderFailure } from '../../ports/provider-error.ts'
import { OpenAiCompatibleEmbedder } from './openai-compatible-embedder.ts'

/** The vectors of queries, from the services that the daemon offers on local sockets, one a model. */
export class ServiceQueryEmbedder {
  readonly #pathOf: (model: EmbeddingModel) => string
  readonly #services = new Map<string, OpenAiCompatibleEmbedder>()
  /** Pages of one search, and searches that differ in their filters only, ask for the same. */
  readonly #cache: Cache<Float32Array>

  constructor(pathOf: (model: EmbeddingModel) => string, caches: Caches) {
    this.#pathOf = pathOf
    this.#cache = caches.open('query_vectors', { sizeOf: ({ byteLength }) => byteLength })
  }

  /** A ProviderError where the model is not offered or fails. */
  async embed(
    model: EmbeddingModel,
    text: string,
    options: { readonly tenantId: number; readonly signal: AbortSignal; readonly retryMs?: number },
  ): Promise<Float32Array> {
    const path = this.#pathOf(model)
    // Of the tenant too: how soon an answer comes must not tell what others have asked.
    const key = `${options.tenantId} ${path} ${createHash('sha256').update(text).digest('base64')}`
    const known = this.#cache.get(key)
    if (known !== undefined) return known
    const service =
      this.#services.get(path) ??
      new OpenAiCompatibleEmbedder({ target: { kind: 'socket', path }, dimensions: undefined })
    this.#services.set(path, service)
    const vector = await embedOne(service, model, { ...options, text })
    if (vector?.length !== model.dimensions) throw new ProviderError(model.provider, 'malformed')
    this.#cache.set(key, vector)
    return vector
  }
}

/** What fails is told of the model that was asked for, not of the protocol that the socket speaks. */
async function embedOne(
  service: OpenAiCompatibleEmbedder,
  model: EmbeddingModel,
  { text, signal, retryMs }: { readonly text: string; readonly signal: AbortSignal; readonly retryMs?: number },
): Promise<Float32Array | undefined> {
  try {
    const [vector] = await service.embed([text], { purpose: 'query', signal, retryMs })
    return vector
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    const { retryAfterMs, status } = error
    throw new ProviderError(model.provider, failureOf(error), { retryAfterMs, status, cause: error })
  }
}

/** Without a socket, or with nobody behind it: the daemon begins to offer a model a moment after it has begun itself. */
function failureOf({ failure, cause }: ProviderError): ProviderFailure {
  return ['ENOENT', 'ECONNREFUSED'].includes(codeOf(cause) ?? '') ? 'not_offered' : failure
}
