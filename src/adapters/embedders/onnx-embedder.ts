import { limits } from '../../limits.ts'
import type { Embedder, EmbeddingModel, EmbedOptions } from '../../ports/embedder.ts'
import { ProviderError } from '../../ports/provider-error.ts'
import { prepareTexts } from './embedding-input.ts'
import { unitVectors } from './embedding-vectors.ts'
import { ModelThreadEngine } from './model-thread-engine.ts'
import { digestOf, readOnnxDirectory, type OnnxDirectory } from './onnx-directory.ts'
import { TextQueue, usualIdle } from './text-queue.ts'

export interface OnnxEmbedderOptions {
  /** Holds `model.onnx`, `tokenizer.json` and `config.json`, as models on Hugging Face have them. */
  readonly directory: string
  /** How long the thread keeps the model without work; default 60 s, and 5 minutes after a query. */
  readonly idleMs?: number | undefined
}

const provider = 'onnx'

/**
 * Vectors by a model of the user's choice, on onnxruntime-node in a thread of this process. The model is loaded when
 * there is text and dropped when there is none for a while; queries overtake documents.
 */
export class OnnxEmbedder implements Embedder {
  readonly isPaid = false
  readonly limits: Embedder['limits']
  readonly #directory: OnnxDirectory
  readonly #queue: TextQueue
  #model: EmbeddingModel | undefined
  #dimensions: number | undefined

  private constructor(directory: OnnxDirectory, idleMs: number | undefined) {
    this.limits = { textsPerCallMax: limits.localModelTextsMax, tokensPerTextMax: directory.model.tokensMax }
    this.#directory = directory
    this.#dimensions = directory.dimensions
    this.#queue = new TextQueue({
      provider,
      open: () => ModelThreadEngine.open(directory.model, packagesMissing),
      enginesMax: 1,
      ...(idleMs === undefined ? usualIdle : { idleMs }),
    })
  }

  /** Reads what the directory says of its model; the weights are read when there is text. Throws as `readOnnxDirectory`. */
  static async open({ directory, idleMs }: OnnxEmbedderOptions): Promise<OnnxEmbedder> {
    return new OnnxEmbedder(await readOnnxDirectory(directory), idleMs)
  }

  /** Reads all files of the model once, for their digest: some tenths of a second. */
  async describe({ signal }: { readonly signal: AbortSignal }): Promise<EmbeddingModel> {
    signal.throwIfAborted()
    if (this.#model !== undefined) return this.#model
    const { name, files } = this.#directory
    if (this.#dimensions === undefined) await this.embed(['dimensions'], { purpose: 'document', signal })
    const revision = await this.#digest(files, signal)
    this.#model = { provider, name, dimensions: this.#dimensions ?? 0, revision }
    return this.#model
  }

  async embed(texts: readonly string[], options: EmbedOptions): Promise<readonly Float32Array[]> {
    const prompt = this.#directory.prompts[options.purpose]
    const prepared = prepareTexts(texts, this.limits).map((text) => `${prompt}${text}`)
    const answer = await this.#queue.embed(prepared, options)
    const vectors = unitVectors(answer, { provider, count: prepared.length, dimensions: this.#dimensions })
    this.#dimensions ??= vectors.at(0)?.length
    return vectors
  }

  close(): Promise<void> {
    return this.#queue.close()
  }

  async #digest(files: readonly string[], signal: AbortSignal): Promise<string> {
    try {
      return await digestOf(files, signal)
    } catch (cause) {
      signal.throwIfAborted()
      throw new ProviderError(provider, 'unavailable', { cause })
    }
  }
}

function packagesMissing(): ProviderError {
  return new ProviderError(provider, 'not_installed', {
    remedy:
      'Run "npm install onnxruntime-node @huggingface/tokenizers" where Verbatim is installed (with -g where it was installed so), or unset VERBATIM_EMBEDDER_PATH',
  })
}
