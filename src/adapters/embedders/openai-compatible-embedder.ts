import { z } from 'zod'

import { limits } from '../../limits.ts'
import type { Embedder, EmbeddingModel, EmbedOptions } from '../../ports/embedder.ts'
import { ProviderError } from '../../ports/provider-error.ts'
import { withinTime } from '../call-bounds.ts'
import { requestJson, type JsonTarget } from '../json-request.ts'
import { openAiBaseOf } from '../openai-base.ts'
import { prepareTexts } from './embedding-input.ts'
import { unitVectors } from './embedding-vectors.ts'

export interface OpenAiCompatibleEmbedderOptions {
  /** An address such as `https://host/v1`, or the socket of Verbatim's own service, which says itself what its model is. */
  readonly target: JsonTarget
  /** What the server calls its model; the own service has one only. */
  readonly model?: string | undefined
  /** Sent to the server, which must know the field, and required of its answers. Default: what it answers. */
  readonly dimensions?: number | undefined
  /** With a key a call counts as paid. */
  readonly apiKey?: string | undefined
  /** The bound on one request; default `embeddingRequestMs` of limits.ts. */
  readonly requestMs?: number | undefined
}

/** How Verbatim's own service is told what texts are for; the protocol has no field for it. */
export const purposeHeader = 'x-verbatim-purpose'
/** The same of how long it may try again what failed. */
export const retryHeader = 'x-verbatim-retry-ms'

const provider = 'openai-compatible'
/** What the larger models read; a server cuts, or refuses, what is too much for a smaller one. */
const tokensMax = 8_192
/** Any text will do to see how many numbers come back. */
const probe = 'dimensions'

const answerSchema = z.object({
  data: z.array(z.object({ index: z.number().int().nonnegative(), embedding: z.array(z.number()) })),
})

/** The list of models of Verbatim's own service: the one model, as the port describes it. */
const ownModelsSchema = z.object({
  data: z.tuple([
    z.object({
      verbatim: z.object({
        provider: z.string(),
        name: z.string(),
        dimensions: z.number().int().positive(),
        revision: z.string(),
      }),
    }),
  ]),
})

/** Vectors by a server with OpenAI's `/v1/embeddings`. Of the body only the fields that every such server knows are sent. */
export class OpenAiCompatibleEmbedder implements Embedder {
  readonly isPaid: boolean
  readonly limits: Embedder['limits']
  readonly #options: OpenAiCompatibleEmbedderOptions
  readonly #target: JsonTarget
  #dimensions: number | undefined
  #ownModel: EmbeddingModel | undefined

  constructor(options: OpenAiCompatibleEmbedderOptions) {
    const isOwn = options.target.kind === 'socket'
    this.isPaid = options.apiKey !== undefined
    this.limits = {
      textsPerCallMax: isOwn ? limits.localModelTextsMax : limits.embeddingTextsMax,
      tokensPerTextMax: tokensMax,
    }
    this.#options = options
    this.#target =
      options.target.kind === 'url' ? { kind: 'url', url: openAiBaseOf(options.target.url) } : options.target
    this.#dimensions = options.dimensions
  }

  async describe({ signal }: { readonly signal: AbortSignal }): Promise<EmbeddingModel> {
    signal.throwIfAborted()
    if (this.#target.kind === 'socket') return this.#describeOwn(signal)
    if (this.#dimensions === undefined) await this.embed([probe], { purpose: 'document', signal })
    // The server does not say which weights it has: whoever changes them should give the model another name.
    return { provider, name: this.#options.model ?? '', dimensions: this.#dimensions ?? 0, revision: 'plain/1' }
  }

  async embed(texts: readonly string[], options: EmbedOptions): Promise<readonly Float32Array[]> {
    const prepared = prepareTexts(texts, this.limits)
    if (prepared.length === 0) return []
    const { model, dimensions } = this.#options
    const answer = await this.#request('/embeddings', options.signal, {
      headers: this.#target.kind === 'socket' ? headersOf(options) : {},
      body: {
        input: prepared,
        encoding_format: 'float',
        ...(model === undefined ? {} : { model }),
        ...(dimensions === undefined ? {} : { dimensions }),
      },
    })
    const parsed = answerSchema.safeParse(answer)
    if (!parsed.success) throw new ProviderError(provider, 'malformed')
    const { data } = parsed.data
    const ordered = data.toSorted((a, b) => a.index - b.index)
    if (ordered.some(({ index }, place) => index !== place)) throw new ProviderError(provider, 'malformed')
    const expected = { provider, count: prepared.length, dimensions: this.#dimensions }
    const vectors = unitVectors(
      ordered.map(({ embedding }) => embedding),
      expected,
    )
    this.#dimensions = vectors.at(0)?.length
    return vectors
  }

  /** Every request has a connection of its own, which the platform keeps and closes. */
  close(): Promise<void> {
    return Promise.resolve()
  }

  async #describeOwn(signal: AbortSignal): Promise<EmbeddingModel> {
    if (this.#ownModel !== undefined) return this.#ownModel
    const parsed = ownModelsSchema.safeParse(await this.#request('/models', signal, { headers: {} }))
    if (!parsed.success) throw new ProviderError(provider, 'malformed')
    const [{ verbatim }] = parsed.data.data
    this.#ownModel = verbatim
    return verbatim
  }

  #request(
    path: string,
    signal: AbortSignal,
    content: { readonly headers: Readonly<Record<string, string>>; readonly body?: unknown },
  ): Promise<unknown> {
    const { apiKey, requestMs } = this.#options
    const headers = {
      accept: 'application/json',
      ...content.headers,
      ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
    }
    const fullPath = this.#target.kind === 'socket' ? `/v1${path}` : path
    return withinTime({ provider, signal, ms: requestMs ?? limits.embeddingRequestMs }, (bounded) =>
      requestJson(this.#target, { ...content, provider, path: fullPath, headers, signal: bounded }),
    )
  }
}

function headersOf({ purpose, retryMs }: EmbedOptions): Readonly<Record<string, string>> {
  return { [purposeHeader]: purpose, ...(retryMs === undefined ? {} : { [retryHeader]: String(Math.round(retryMs)) }) }
}
