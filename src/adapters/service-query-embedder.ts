import type { EmbeddingModel } from '../ports/embedder.ts'
import { ProviderError } from '../ports/provider-error.ts'
import { OpenAiCompatibleEmbedder } from './openai-compatible-embedder.ts'

/** Vectors of queries that are kept: pages of one search ask for the same. */
const cachedMax = 200

/** The vectors of queries, from the services that the daemon offers on local sockets, one a model. */
export class ServiceQueryEmbedder {
  readonly #pathOf: (model: EmbeddingModel) => string
  readonly #services = new Map<string, OpenAiCompatibleEmbedder>()
  readonly #cache = new Map<string, Float32Array>()

  constructor(pathOf: (model: EmbeddingModel) => string) {
    this.#pathOf = pathOf
  }

  /** A ProviderError where the model is not offered or fails. */
  async embed(model: EmbeddingModel, text: string, options: { readonly signal: AbortSignal }): Promise<Float32Array> {
    const path = this.#pathOf(model)
    const key = `${path}\0${text}`
    const known = this.#cache.get(key)
    if (known !== undefined) return known
    const service =
      this.#services.get(path) ??
      new OpenAiCompatibleEmbedder({ target: { kind: 'socket', path }, dimensions: undefined })
    this.#services.set(path, service)
    const [vector] = await service.embed([text], { purpose: 'query', signal: options.signal })
    if (vector?.length !== model.dimensions) throw new ProviderError(model.provider, 'malformed')
    const [oldest] = this.#cache.keys()
    if (this.#cache.size >= cachedMax && oldest !== undefined) this.#cache.delete(oldest)
    this.#cache.set(key, vector)
    return vector
  }
}
