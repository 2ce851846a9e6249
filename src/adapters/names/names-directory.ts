import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { z } from 'zod'

import { messageOf } from '../../errors.ts'
import { ProviderError } from '../../ports/provider-error.ts'
import type { OnnxNamesModel } from '../embedders/model-thread-messages.ts'
import { labelOf } from './token-labels.ts'

const configSchema = z.object({
  model_type: z.string().optional(),
  max_position_embeddings: z.number().int().min(8).default(512),
  id2label: z.record(z.string().regex(/^\d+$/), z.string()),
})
const tokenizerSchema = z.object({ model_max_length: z.number().nullish() })

/** Positions of these begin behind the padding token's, so that two of them hold no token. */
const offsetTypes: ReadonlySet<string> = new Set(['roberta', 'xlm-roberta', 'camembert', 'mpnet'])
/** Longer windows cost more for each token, and help no name. */
const windowTokensMax = 512
/** Two of them begin and end a text. */
const windowTokensMin = 8

/**
 * Reads what a directory of Hugging Face's form says of its model for token classification; the weights are not read. Throws
 * ProviderError `not_installed` where a file is missing or says too little, with what to do.
 */
export async function readNamesDirectory(directory: string): Promise<OnnxNamesModel> {
  const at = (...names: string[]) => join(directory, ...names)
  const modelPath = [at('model.onnx'), at('onnx', 'model.onnx')].find((path) => existsSync(path))
  const tokenizerPath = at('tokenizer.json')
  if (modelPath === undefined || !existsSync(tokenizerPath) || !existsSync(at('config.json')))
    throw unusable('VERBATIM_NAMES_PATH must be a directory with model.onnx, tokenizer.json and config.json')
  const config = await readSettings(at('config.json'), configSchema)
  const tokenizerConfigPath = at('tokenizer_config.json')
  const hasConfig = existsSync(tokenizerConfigPath)
  const tokenizer = hasConfig ? await readSettings(tokenizerConfigPath, tokenizerSchema) : undefined
  const labels = Array.from({ length: Object.keys(config.id2label).length }, (_, id) => config.id2label[id] ?? 'O')
  if (!labels.some((label) => labelOf(label) !== undefined))
    throw unusable('id2label in config.json must have labels such as B-PER, B-LOC or B-ORG: take a model for names')
  const positions = config.max_position_embeddings - (offsetTypes.has(config.model_type ?? '') ? 2 : 0)
  const tokensMax = Math.floor(Math.min(positions, tokenizer?.model_max_length ?? positions, windowTokensMax))
  if (tokensMax < windowTokensMin)
    throw unusable(
      `The model must read at least ${windowTokensMin} tokens at once, and reads ${tokensMax}: check max_position_embeddings in config.json and model_max_length in tokenizer_config.json`,
    )
  return {
    kind: 'onnx-names',
    modelPath,
    tokenizerPath,
    ...(hasConfig ? { tokenizerConfigPath } : {}),
    tokensMax,
    labels,
  }
}

async function readSettings<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S>> {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    throw unusable(`Check the file ${path}: ${messageOf(error)}`)
  }
}

function unusable(remedy: string): ProviderError {
  return new ProviderError('onnx', 'not_installed', { remedy })
}
