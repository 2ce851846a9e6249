import { z } from 'zod'

import { InputError } from '../errors.ts'
import { limits } from '../limits.ts'
import { absolutePath } from './absolute-path.ts'
import {
  addressOf,
  geminiKeyOf,
  requireGeminiKey,
  type GeminiSettings,
  type OpenAiCompatibleSettings,
} from './provider-settings.ts'

/** Which model makes vectors, and how it is reached. */
export type EmbedderSettings =
  | ((GeminiSettings | OpenAiCompatibleSettings) & { readonly dimensions?: number | undefined })
  | { readonly kind: 'local' }
  | { readonly kind: 'onnx'; readonly directory: string }
  | { readonly kind: 'none' }

/** The settings of the embedder, with what they mean: a part of docs/configuration.md. */
export const embedderSettingsShape = {
  VERBATIM_EMBEDDER: z
    .enum(['gemini', 'openai-compatible', 'local', 'none'])
    .optional()
    .describe(
      'What makes the vectors of semantic search: gemini (texts go to Google), openai-compatible (texts go to VERBATIM_EMBEDDER_URL), local (a small English model on this machine) or none. Default: what VERBATIM_EMBEDDER_URL or VERBATIM_EMBEDDER_PATH names, else gemini where a key is set, else local',
    ),
  GEMINI_API_KEY: z.string().trim().optional().describe('The API key for gemini'),
  GOOGLE_API_KEY: z.string().trim().optional().describe('The API key for gemini, where GEMINI_API_KEY is not set'),
  VERBATIM_EMBEDDER_URL: z
    .string()
    .optional()
    .describe(
      'The address of an OpenAI-compatible server (Ollama: http://127.0.0.1:11434/v1). With VERBATIM_EMBEDDER=gemini: of the Gemini API, where it is not the public one',
    ),
  VERBATIM_EMBEDDER_KEY: z
    .string()
    .trim()
    .optional()
    .describe('The API key for VERBATIM_EMBEDDER_URL. With a key, calls count as paid'),
  VERBATIM_EMBEDDER_PATH: z
    .string()
    .optional()
    .describe(
      'Directory of another local model: model.onnx, tokenizer.json and config.json. It needs the packages onnxruntime-node and @huggingface/tokenizers',
    ),
  VERBATIM_EMBEDDING_MODEL: z
    .string()
    .max(200)
    .optional()
    .describe(
      'The name of the embedding model, kept with every vector. Default for gemini: gemini-embedding-2; openai-compatible needs one',
    ),
  VERBATIM_EMBEDDING_DIMENSIONS: z.coerce
    .number()
    .int()
    .min(1)
    .max(limits.embeddingDimensionsMax)
    .optional()
    .describe(
      'Numbers in a vector, for models that can be asked for fewer. Default for gemini: 768; for others what they give',
    ),
  VERBATIM_DAILY_TOKENS: z.coerce
    .number()
    .int()
    .min(0)
    .default(2_000_000)
    .describe('Tokens that paid calls may use a day, in UTC, all providers together; 0 for no paid call'),
} as const

const addressNames = { url: 'VERBATIM_EMBEDDER_URL', key: 'VERBATIM_EMBEDDER_KEY' } as const

type Values = z.output<z.ZodObject<typeof embedderSettingsShape>>
type Name = `VERBATIM_EMBEDDER_${'URL' | 'KEY' | 'PATH'}` | `VERBATIM_EMBEDDING_${'MODEL' | 'DIMENSIONS'}`

/**
 * The embedder that the settings choose. Throws InputError where one that is needed is missing, or where one is set that
 * the chosen embedder would not look at: whoever set it expects something of it.
 */
export function readEmbedderSettings(values: Values): EmbedderSettings {
  const { VERBATIM_EMBEDDER: kind, VERBATIM_EMBEDDER_URL: url, VERBATIM_EMBEDDER_PATH: path } = values
  if (kind === 'none') return { kind }
  if (kind === 'gemini') return chooseGemini(values)
  if (kind === 'local') return chooseLocal(values)
  if (kind === 'openai-compatible' || url !== undefined) return chooseOpenAiCompatible(values)
  // A key for Gemini may be there for other programs: what was set for Verbatim counts more.
  if (path !== undefined) return chooseLocal(values)
  if (geminiKeyOf(values) !== undefined) return chooseGemini(values)
  return chooseLocal(values)
}

function chooseGemini(values: Values): EmbedderSettings {
  refuseUnused(values, 'gemini', ['VERBATIM_EMBEDDER_KEY', 'VERBATIM_EMBEDDER_PATH'])
  const apiKey = requireGeminiKey('VERBATIM_EMBEDDER', values)
  const { VERBATIM_EMBEDDING_MODEL: model, VERBATIM_EMBEDDING_DIMENSIONS: dimensions } = values
  return { kind: 'gemini', apiKey, model, dimensions, baseUrl: addressOf(addressNames, values.VERBATIM_EMBEDDER_URL) }
}

function chooseOpenAiCompatible(values: Values): EmbedderSettings {
  refuseUnused(values, 'openai-compatible', ['VERBATIM_EMBEDDER_PATH'])
  const url = addressOf(addressNames, values.VERBATIM_EMBEDDER_URL)
  const model = values.VERBATIM_EMBEDDING_MODEL
  if (url === undefined)
    throw new InputError(
      'Cannot start as VERBATIM_EMBEDDER is "openai-compatible" and VERBATIM_EMBEDDER_URL is not set',
      { remedy: 'Set VERBATIM_EMBEDDER_URL to the address of the server, such as https://api.openai.com/v1' },
    )
  if (model === undefined)
    throw new InputError('Cannot start as VERBATIM_EMBEDDER_URL is set and VERBATIM_EMBEDDING_MODEL is not', {
      remedy:
        'Set it to what the server calls its model: vectors of two models cannot be compared, so the name is kept with each',
    })
  const { VERBATIM_EMBEDDER_KEY: apiKey, VERBATIM_EMBEDDING_DIMENSIONS: dimensions } = values
  return { kind: 'openai-compatible', url, model, apiKey, dimensions }
}

function chooseLocal(values: Values): EmbedderSettings {
  refuseUnused(values, 'local', [
    'VERBATIM_EMBEDDER_URL',
    'VERBATIM_EMBEDDER_KEY',
    'VERBATIM_EMBEDDING_MODEL',
    'VERBATIM_EMBEDDING_DIMENSIONS',
  ])
  const path = values.VERBATIM_EMBEDDER_PATH
  return path === undefined
    ? { kind: 'local' }
    : { kind: 'onnx', directory: absolutePath('VERBATIM_EMBEDDER_PATH', path) }
}

function refuseUnused(values: Values, kind: string, names: readonly Name[]): void {
  const unused = names.find((name) => values[name] !== undefined)
  if (unused === undefined) return
  throw new InputError(`Cannot start as the setting "${unused}" does not belong to the embedder "${kind}"`, {
    remedy: `Unset it, or choose another embedder with VERBATIM_EMBEDDER. ${embedderSettingsShape[unused].description}`,
  })
}
