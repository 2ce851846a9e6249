import type { EmbedderSettings } from '../../config.ts'
import type { Embedder, EmbeddingModel } from '../../ports/embedder.ts'
import { unobserved, type Observer } from '../../ports/observer.ts'
import { GeminiEmbedder } from './gemini-embedder.ts'
import { LocalEmbedder } from './local-embedder.ts'
import { ObservedEmbedder } from './observed-embedder.ts'
import { OnnxEmbedder } from './onnx-embedder.ts'
import { OpenAiCompatibleEmbedder } from './openai-compatible-embedder.ts'
import { ResilientEmbedder } from './resilient-embedder.ts'

/** The embedder of a configuration; undefined for none. Nothing is loaded or asked before the first call. */
export async function openEmbedder(
  settings: EmbedderSettings,
  observer: Observer = unobserved,
): Promise<Embedder | undefined> {
  const observed = (embedder: Embedder) => new ObservedEmbedder(embedder, settings.kind, observer)
  const resilient = (embedder: Embedder) =>
    new ResilientEmbedder(observed(embedder), {
      circuitChanged: (state) => observer.note({ kind: 'circuit', provider: settings.kind, state }),
    })
  switch (settings.kind) {
    case 'none':
      return undefined
    case 'local':
      return observed(new LocalEmbedder())
    case 'onnx':
      return observed(await OnnxEmbedder.open({ directory: settings.directory }))
    case 'gemini':
      return resilient(new GeminiEmbedder(settings))
    case 'openai-compatible': {
      const { url, ...rest } = settings
      return resilient(new OpenAiCompatibleEmbedder({ target: { kind: 'url', url }, ...rest }))
    }
    default:
      return settings satisfies never
  }
}

/**
 * The embedder of a model whose place another has taken, for the queries that its vectors are still searched with; undefined
 * where the configuration gives no way to ask it.
 */
export async function openFormerEmbedder(
  settings: EmbedderSettings,
  model: EmbeddingModel,
  observer: Observer = unobserved,
): Promise<Embedder | undefined> {
  if (model.provider === 'local') return new ObservedEmbedder(new LocalEmbedder(), 'local', observer)
  if (settings.kind !== model.provider || (settings.kind !== 'gemini' && settings.kind !== 'openai-compatible'))
    return undefined
  return await openEmbedder({ ...settings, model: model.name, dimensions: model.dimensions }, observer)
}
