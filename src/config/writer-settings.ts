import { z } from 'zod'

import { InputError } from '../errors.ts'
import {
  addressOf,
  geminiKeyOf,
  requireGeminiKey,
  type GeminiSettings,
  type OpenAiCompatibleSettings,
} from './provider-settings.ts'

/** Which model writes, and how it is reached. */
export type WriterSettings = GeneratorSettings | { readonly kind: 'extractive' }

export type GeneratorSettings = GeminiSettings | OpenAiCompatibleSettings

/** The settings of the model that writes, with what they mean: a part of docs/configuration.md. */
export const writerSettingsShape = {
  VERBATIM_SUMMARIZER: z
    .enum(['gemini', 'openai-compatible', 'extractive'])
    .optional()
    .describe(
      'The model that writes: gemini, openai-compatible (VERBATIM_SUMMARIZER_URL) or extractive, which is none. It is asked for summaries (extractive: they are made of sentences of the messages), what can be learned (VERBATIM_LEARNING), for words to search for (VERBATIM_QUERY_EXPANSION), and for names (VERBATIM_NAMES). Default: what VERBATIM_SUMMARIZER_URL names, else gemini where a key is set, else extractive',
    ),
  VERBATIM_SUMMARIZER_MODEL: z
    .string()
    .max(200)
    .optional()
    .describe('The name of that model. Default for gemini: gemini-3.5-flash-lite; openai-compatible needs one'),
  VERBATIM_SUMMARIZER_URL: z
    .string()
    .optional()
    .describe(
      'The address of an OpenAI-compatible server (Ollama: http://127.0.0.1:11434/v1). With VERBATIM_SUMMARIZER=gemini: of the Gemini API, where it is not the public one',
    ),
  VERBATIM_SUMMARIZER_KEY: z
    .string()
    .trim()
    .optional()
    .describe('The API key for VERBATIM_SUMMARIZER_URL. With a key, calls count as paid'),
  VERBATIM_QUERY_EXPANSION: z
    .enum(['off', 'on'])
    .default('off')
    .describe(
      'on: a search asks the model that writes for other words that an answer may use, and looks for these too. The query goes to the model, and the search waits up to 2 seconds for it',
    ),
  VERBATIM_ROLLING_SUMMARIES: z
    .enum(['off', 'extractive', 'model'])
    .default('extractive')
    .describe(
      'Whether sessions are summarized in the background once they are quiet: extractive: with their own sentences; model: by the model that writes, which costs; off: when somebody asks',
    ),
  VERBATIM_SUMMARY_IDLE_MINUTES: z.coerce
    .number()
    .min(0.01)
    .max(1_000)
    .default(5)
    .describe('A session is summarized in the background when nothing was saved to it for so many minutes'),
  VERBATIM_LEARNING: z
    .enum(['off', 'patterns', 'on'])
    .default('on')
    .describe(
      'on: facts, preferences, decisions and what helped are learned in the background from what users and assistants say, each with the messages that it comes from; see docs/learning.md. What patterns do not find in new messages is asked of the model that writes, where there is one. patterns: it is asked nothing. off: nothing new is learned',
    ),
} as const

type Values = z.output<z.ZodObject<typeof writerSettingsShape>> & {
  readonly GEMINI_API_KEY?: string | undefined
  readonly GOOGLE_API_KEY?: string | undefined
}

const names = { url: 'VERBATIM_SUMMARIZER_URL', key: 'VERBATIM_SUMMARIZER_KEY' } as const

/** The model that the settings choose. Throws InputError where one that is needed is missing or would not be looked at. */
export function readWriterSettings(values: Values): WriterSettings {
  const { VERBATIM_SUMMARIZER: kind, VERBATIM_SUMMARIZER_MODEL: model, VERBATIM_SUMMARIZER_KEY: key } = values
  const url = addressOf(names, values.VERBATIM_SUMMARIZER_URL)
  if (kind === 'openai-compatible' || (kind === undefined && url !== undefined)) {
    if (url === undefined || model === undefined)
      throw new InputError(
        `Cannot start as the model that writes is "openai-compatible" and ${url === undefined ? names.url : 'VERBATIM_SUMMARIZER_MODEL'} is not set`,
        { remedy: 'Set both: the address of the server, and what it calls its model' },
      )
    return { kind: 'openai-compatible', url, model, apiKey: key }
  }
  if (kind === 'gemini' || (kind === undefined && geminiKeyOf(values) !== undefined)) {
    const apiKey = requireGeminiKey('VERBATIM_SUMMARIZER', values)
    if (key !== undefined)
      throw new InputError('Cannot start as the setting "VERBATIM_SUMMARIZER_KEY" does not belong to "gemini"', {
        remedy: 'Unset it: the key for gemini is GEMINI_API_KEY',
      })
    return { kind: 'gemini', apiKey, model, baseUrl: url }
  }
  const unused = (['VERBATIM_SUMMARIZER_MODEL', 'VERBATIM_SUMMARIZER_URL', 'VERBATIM_SUMMARIZER_KEY'] as const).find(
    (name) => values[name] !== undefined,
  )
  if (unused !== undefined)
    throw new InputError(`Cannot start as the setting "${unused}" is set and no model that writes is chosen`, {
      remedy: 'Unset it, or choose one with VERBATIM_SUMMARIZER',
    })
  return { kind: 'extractive' }
}

/** The model that writes; undefined where there is none. */
export function writerOf(values: Values): GeneratorSettings | undefined {
  const writer = readWriterSettings(values)
  return writer.kind === 'extractive' ? undefined : writer
}

/** How quiet sessions are summarised in the background. */
export interface RollingSettings {
  readonly quietMs: number
  /** Undefined where they are summarised with their own sentences. */
  readonly writer: GeneratorSettings | undefined
}

/** How quiet sessions are summarised; undefined where they are not. Throws InputError where there is no model that is to do it. */
export function readRollingSettings(values: Values): RollingSettings | undefined {
  const { VERBATIM_ROLLING_SUMMARIES: kind, VERBATIM_SUMMARY_IDLE_MINUTES: minutes } = values
  if (kind === 'off') return undefined
  const writer = kind === 'model' ? writerOf(values) : undefined
  if (kind === 'model' && writer === undefined)
    throw new InputError('Cannot start as VERBATIM_ROLLING_SUMMARIES is "model" and there is no model to ask', {
      remedy:
        'Set VERBATIM_SUMMARIZER_URL and VERBATIM_SUMMARIZER_MODEL, or GEMINI_API_KEY, or VERBATIM_ROLLING_SUMMARIES to "extractive"',
    })
  return { quietMs: Math.round(minutes * 60_000), writer }
}

/** The model that expands queries; undefined where none is to. Throws InputError where there is none. */
export function readExpansionSettings(values: Values, writer: WriterSettings): GeneratorSettings | undefined {
  if (values.VERBATIM_QUERY_EXPANSION === 'off') return undefined
  if (writer.kind !== 'extractive') return writer
  throw new InputError('Cannot start as VERBATIM_QUERY_EXPANSION is "on" and there is no model to ask', {
    remedy:
      'Set VERBATIM_SUMMARIZER_URL and VERBATIM_SUMMARIZER_MODEL, or GEMINI_API_KEY, or unset VERBATIM_QUERY_EXPANSION',
  })
}
