import { z } from 'zod'

import { InputError } from '../errors.ts'
import { absolutePath } from './absolute-path.ts'
import type { GeneratorSettings } from './writer-settings.ts'

/** What looks for names beside the rules, which always do. */
export type NamesSettings =
  | { readonly kind: 'model'; readonly writer: GeneratorSettings }
  | { readonly kind: 'local'; readonly directory: string }

/** The settings of who looks for names, with what they mean: a part of docs/configuration.md. */
export const namesSettingsShape = {
  VERBATIM_NAMES: z
    .enum(['rules', 'model', 'local'])
    .default('rules')
    .describe(
      'What finds names of people, places and organizations for the views, exports and anonymisation without personal data: rules (on this machine); model: rules, and the model that writes reads each message once in the background (messages go to it, without secrets; it costs); local: rules, and the model in VERBATIM_NAMES_PATH. See docs/privacy.md',
    ),
  VERBATIM_NAMES_PATH: z
    .string()
    .optional()
    .describe(
      'Directory of a model for token classification: model.onnx, tokenizer.json and config.json with id2label. It needs the packages onnxruntime-node and @huggingface/tokenizers',
    ),
} as const

/** Who looks for names by the settings, beside the rules; undefined: nobody. Throws InputError where what it needs is missing. */
export function readNamesSettings(
  { VERBATIM_NAMES: kind, VERBATIM_NAMES_PATH: path }: z.output<z.ZodObject<typeof namesSettingsShape>>,
  writer: GeneratorSettings | undefined,
): NamesSettings | undefined {
  if (path !== undefined && kind !== 'local')
    throw new InputError(`Cannot start as VERBATIM_NAMES_PATH is set and VERBATIM_NAMES is "${kind}"`, {
      remedy: 'Set VERBATIM_NAMES to "local", or unset VERBATIM_NAMES_PATH',
    })
  if (kind === 'rules') return undefined
  if (kind === 'local') {
    if (path === undefined)
      throw new InputError('Cannot start as VERBATIM_NAMES is "local" and VERBATIM_NAMES_PATH is not set', {
        remedy: `Set it. ${namesSettingsShape.VERBATIM_NAMES_PATH.description}`,
      })
    return { kind, directory: absolutePath('VERBATIM_NAMES_PATH', path) }
  }
  if (writer === undefined)
    throw new InputError('Cannot start as VERBATIM_NAMES is "model" and there is no model to ask', {
      remedy: 'Set VERBATIM_SUMMARIZER_URL and VERBATIM_SUMMARIZER_MODEL, or GEMINI_API_KEY, or unset VERBATIM_NAMES',
    })
  return { kind, writer }
}
