import type { EmbedContentRequest, GenerativeModel, TaskType } from '@google/generative-ai'
import { z } from 'zod'

import { limits } from '../../limits.ts'
import type { Embedder, EmbeddingModel, EmbeddingPurpose, EmbedOptions } from '../../ports/embedder.ts'
import { ProviderError } from '../../ports/provider-error.ts'
import { withinTime } from '../call-bounds.ts'
import { geminiFailure } from '../gemini-failure.ts'
import { prepareTexts } from './embedding-input.ts'
import { unitVectors } from './embedding-vectors.ts'

export interface GeminiEmbedderOptions {
  readonly apiKey: string
  /** Default: `gemini-embedding-2`. */
  readonly model?: string | undefined
  /** Default: 768. */
  readonly dimensions?: number | undefined
  /** Default: Google's own. */
  readonly baseUrl?: string | undefined
  /** The bound on one request; default `embeddingRequestMs` of limits.ts. */
  readonly requestMs?: number | undefined
}

const provider = 'gemini'
const defaultModel = 'gemini-embedding-2'
/** Of 3,072; the smallest of the sizes that Google recommends: a quarter of the space at little loss. */
const defaultDimensions = 768

/** The model that is told by a field what a text is for; its successors are told by words before the text. */
const taskTypeModel = 'gemini-embedding-001'

/** Words that the models are trained with; `none` stands for the title that a document does not have. */
const prefixes: Readonly<Record<EmbeddingPurpose, string>> = {
  query: 'task: search result | query: ',
  document: 'title: none | text: ',
}

const answerSchema = z.object({ embeddings: z.array(z.object({ values: z.array(z.number()) })) })

/** Vectors by Google's Gemini API: each text is an entry of its own in one `batchEmbedContents`. */
export class GeminiEmbedder implements Embedder {
  readonly isPaid = true
  readonly limits: Embedder['limits']
  readonly #options: GeminiEmbedderOptions
  readonly #model: EmbeddingModel

  constructor(options: GeminiEmbedderOptions) {
    const name = (options.model ?? defaultModel).replace(/^models\//, '')
    const hasTaskType = name === taskTypeModel
    this.#options = options
    this.limits = { textsPerCallMax: limits.embeddingTextsMax, tokensPerTextMax: hasTaskType ? 2_048 : 8_192 }
    this.#model = {
      provider,
      name,
      dimensions: options.dimensions ?? defaultDimensions,
      revision: hasTaskType ? 'task-type/1' : 'prefix/1',
    }
  }

  describe({ signal }: { readonly signal: AbortSignal }): Promise<EmbeddingModel> {
    return signal.aborted ? Promise.reject<EmbeddingModel>(signal.reason) : Promise.resolve(this.#model)
  }

  async embed(texts: readonly string[], { purpose, signal }: EmbedOptions): Promise<readonly Float32Array[]> {
    const prepared = prepareTexts(texts, this.limits)
    const ms = this.#options.requestMs ?? limits.embeddingRequestMs
    if (prepared.length === 0) return []
    const answer = await withinTime({ provider, signal, ms }, (bounded) => this.#request(prepared, purpose, bounded))
    const parsed = answerSchema.safeParse(answer)
    if (!parsed.success) throw new ProviderError(provider, 'malformed')
    const vectors = parsed.data.embeddings.map(({ values }) => values)
    return unitVectors(vectors, { provider, count: prepared.length, dimensions: this.#model.dimensions })
  }

  /** Every request has a connection of its own, which the platform keeps and closes. */
  close(): Promise<void> {
    return Promise.resolve()
  }

  async #request(texts: readonly string[], purpose: EmbeddingPurpose, signal: AbortSignal): Promise<unknown> {
    // Loaded at the first use: a stdio server that never embeds need not pay for it.
    const { GoogleGenerativeAI, TaskType } = await import('@google/generative-ai')
    // The client listens for the abort only, and would not see one that came before.
    signal.throwIfAborted()
    const { apiKey, baseUrl } = this.#options
    const model: GenerativeModel = new GoogleGenerativeAI(apiKey).getGenerativeModel(
      { model: this.#model.name },
      baseUrl === undefined ? {} : { baseUrl: baseUrl.replace(/\/+$/, '') },
    )
    const taskType = purpose === 'query' ? TaskType.RETRIEVAL_QUERY : TaskType.RETRIEVAL_DOCUMENT
    try {
      return await model.batchEmbedContents(
        { requests: texts.map((text) => this.#entry(text, purpose, taskType)) },
        { signal },
      )
    } catch (error) {
      throw geminiFailure(error)
    }
  }

  #entry(text: string, purpose: EmbeddingPurpose, taskType: TaskType): EmbedContentRequest {
    const hasTaskType = this.#model.name === taskTypeModel
    // The client's type lacks the dimensions; it passes them on.
    const entry = {
      content: { role: 'user', parts: [{ text: hasTaskType ? text : `${prefixes[purpose]}${text}` }] },
      ...(hasTaskType ? { taskType } : {}),
      outputDimensionality: this.#model.dimensions,
    }
    return entry
  }
}
