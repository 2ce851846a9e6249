import type { NameFinder, NamesInText } from '../../ports/name-finder.ts'
import { ProviderError } from '../../ports/provider-error.ts'
import { ModelThreadEngine } from '../embedders/model-thread-engine.ts'
import { readNamesDirectory } from './names-directory.ts'

export interface OnnxNameFinderOptions {
  /** Holds `model.onnx`, `tokenizer.json` and `config.json` with `id2label`, as models on Hugging Face have them. */
  readonly directory: string
  /** How long the thread keeps the model without work; default 60 s. */
  readonly idleMs?: number | undefined
}

const provider = 'onnx'
const idleMsDefault = 60_000

/**
 * Names by a model for token classification of the user's choice, on onnxruntime-node in a thread of this process. The model is loaded
 * when there is text and dropped when there is none for a while. One call at a time.
 */
export class OnnxNameFinder implements NameFinder {
  readonly provider = provider
  readonly isRemote = false
  readonly #directory: string
  readonly #idleMs: number
  #engine: ModelThreadEngine | undefined
  #idle: NodeJS.Timeout | undefined

  constructor({ directory, idleMs = idleMsDefault }: OnnxNameFinderOptions) {
    this.#directory = directory
    this.#idleMs = idleMs
  }

  async find(
    texts: readonly string[],
    { signal }: { readonly signal: AbortSignal },
  ): Promise<readonly (NamesInText | undefined)[]> {
    if (texts.length === 0) return []
    clearTimeout(this.#idle)
    try {
      const found: (NamesInText | undefined)[] = []
      for (const text of texts) {
        signal.throwIfAborted()
        found.push(await this.#findIn(text))
      }
      return found
    } finally {
      this.#idle = setTimeout(() => void this.#drop(), this.#idleMs).unref()
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle)
    await this.#drop()
  }

  /** Undefined where the model cannot read this text. */
  async #findIn(text: string): Promise<NamesInText | undefined> {
    if (this.#engine?.isUsable !== true) {
      await this.#drop()
      this.#engine = await ModelThreadEngine.open(await readNamesDirectory(this.#directory), packagesMissing)
    }
    try {
      return { names: await this.#engine.findNames(text), isWhole: true }
    } catch (error) {
      if (error instanceof ProviderError && error.failure === 'rejected') return undefined
      throw error
    }
  }

  async #drop(): Promise<void> {
    const engine = this.#engine
    this.#engine = undefined
    await engine?.close()
  }
}

function packagesMissing(): ProviderError {
  return new ProviderError(provider, 'not_installed', {
    remedy:
      'Run "npm install onnxruntime-node @huggingface/tokenizers" where Verbatim is installed (with -g where it was installed so), or unset VERBATIM_NAMES',
  })
}
