import type { NameFinder, NamesInText } from '../../ports/name-finder.ts'
import { ProviderError, type ProviderFailure } from '../../ports/provider-error.ts'
import { ModelThreadEngine } from '../embedders/model-thread-engine.ts'
import { readNamesDirectory } from './names-directory.ts'

export interface OnnxNameFinderOptions {
  /** Holds `model.onnx`, `tokenizer.json` and `config.json` with `id2label`, as models on Hugging Face have them. */
  readonly directory: string
  /** How long the thread keeps the model without work; default 60 s. */
  readonly idleMs?: number | undefined
  /** Loads the model; default: in a thread. */
  readonly open?: () => Promise<NamesEngine>
}

/** A model that reads one text after the other; once it failed it is not used again. */
export type NamesEngine = Pick<ModelThreadEngine, 'isUsable' | 'isHung' | 'findNames' | 'close'>

const provider = 'onnx'
const idleMsDefault = 60_000
/** About what a model reads at once, so that each piece has the time of one. */
const windowCharacters = 2_000
const noAnswers: ReadonlySet<ProviderFailure> = new Set(['rejected', 'timeout'])
const hungRemedy =
  'The model has not come to the end of a text: wait, or start Verbatim again, with a smaller model where it comes again'

/**
 * Names by a model for token classification of the user's choice, on onnxruntime-node in a thread of this process. The model is loaded
 * when there is text and dropped when there is none for a while. One call at a time.
 */
export class OnnxNameFinder implements NameFinder {
  readonly provider = provider
  readonly isRemote = false
  readonly pieceCharactersMax = windowCharacters
  readonly #open: () => Promise<NamesEngine>
  readonly #idleMs: number
  #engine: NamesEngine | undefined
  /** One that was given up within a text, and may never answer. */
  #hung: NamesEngine | undefined
  #idle: NodeJS.Timeout | undefined

  constructor({ directory, idleMs = idleMsDefault, open = () => openThread(directory) }: OnnxNameFinderOptions) {
    this.#open = open
    this.#idleMs = idleMs
  }

  async find(
    texts: readonly string[],
    { signal }: { readonly signal: AbortSignal },
  ): Promise<readonly (NamesInText | undefined)[]> {
    if (texts.length === 0) return []
    clearTimeout(this.#idle)
    const found: (NamesInText | undefined)[] = []
    try {
      for (const text of texts) {
        signal.throwIfAborted()
        found.push(await this.#findIn(text))
      }
      return found
    } catch (error) {
      // What was found by then is kept, and the rest left for later.
      if (error instanceof ProviderError && found.length > 0) return found
      throw error
    } finally {
      this.#idle = setTimeout(() => void this.#drop(), this.#idleMs).unref()
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle)
    await this.#drop()
  }

  /** Undefined where the model cannot read this text, or not in time. */
  async #findIn(text: string): Promise<NamesInText | undefined> {
    if (this.#engine?.isUsable !== true) {
      await this.#drop()
      // Native code cannot be broken off: each further thread would take as much memory, and a core.
      if (this.#hung?.isHung === true) throw new ProviderError(provider, 'unavailable', { remedy: hungRemedy })
      this.#engine = await this.#open()
    }
    try {
      return { names: await this.#engine.findNames(text), isWhole: true }
    } catch (error) {
      if (error instanceof ProviderError && noAnswers.has(error.failure)) return undefined
      throw error
    }
  }

  async #drop(): Promise<void> {
    const engine = this.#engine
    this.#engine = undefined
    await engine?.close()
    if (engine?.isHung === true) this.#hung = engine
  }
}

async function openThread(directory: string): Promise<NamesEngine> {
  return await ModelThreadEngine.open(await readNamesDirectory(directory), packagesMissing)
}

function packagesMissing(): ProviderError {
  return new ProviderError(provider, 'not_installed', {
    remedy:
      'Run "npm install onnxruntime-node @huggingface/tokenizers" where Verbatim is installed (with -g where it was installed so), or unset VERBATIM_NAMES',
  })
}
