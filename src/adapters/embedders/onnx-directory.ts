import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'

import { z } from 'zod'

import { ConflictError, messageOf } from '../../errors.ts'
import type { EmbeddingPurpose } from '../../ports/embedder.ts'
import { ProviderError } from '../../ports/provider-error.ts'
import type { OnnxModel } from './model-thread-messages.ts'

/** A model as a directory describes it; the weights are not read. */
export interface OnnxDirectory {
  readonly name: string
  /** Undefined where the configuration does not say. */
  readonly dimensions: number | undefined
  readonly model: OnnxModel
  /** Words that the model wants before a text. */
  readonly prompts: Readonly<Record<EmbeddingPurpose, string>>
  /** Every file that a vector depends on. */
  readonly files: readonly string[]
}

const configSchema = z.object({
  model_type: z.string().optional(),
  hidden_size: z.number().int().positive().optional(),
  max_position_embeddings: z.number().int().min(4).default(512),
})
const poolingSchema = z.object({
  pooling_mode_cls_token: z.boolean().default(false),
  pooling_mode_mean_tokens: z.boolean().default(false),
})
const sentenceSchema = z.object({ max_seq_length: z.number().int().min(4).nullish() })
const tokenizerSchema = z.object({ model_max_length: z.number().nullish() })
const promptsSchema = z.object({ prompts: z.record(z.string(), z.string()).default({}) })

/** Positions of these begin behind the padding token's, so that two of them hold no token. */
const offsetTypes: ReadonlySet<string> = new Set(['roberta', 'xlm-roberta', 'camembert', 'mpnet'])

/**
 * Reads what a directory of Hugging Face's form says of its model. Throws ProviderError `not_installed` where a file is
 * missing, ConflictError where one says what cannot be followed.
 */
export async function readOnnxDirectory(directory: string): Promise<OnnxDirectory> {
  const at = (...names: string[]) => join(directory, ...names)
  const modelPath = [at('model.onnx'), at('onnx', 'model.onnx')].find((path) => existsSync(path))
  const tokenizerPath = at('tokenizer.json')
  if (modelPath === undefined || !existsSync(tokenizerPath) || !existsSync(at('config.json')))
    throw new ProviderError('onnx', 'not_installed', {
      remedy:
        'VERBATIM_EMBEDDER_PATH must be a directory with model.onnx, tokenizer.json and config.json, as models on Hugging Face have them',
    })
  const config = await readSettings(at('config.json'), configSchema)
  const pooling = await readSettings(at('1_Pooling', 'config.json'), poolingSchema)
  const sentence = await readSettings(at('sentence_bert_config.json'), sentenceSchema)
  const tokenizerConfigPath = at('tokenizer_config.json')
  const tokenizer = await readSettings(tokenizerConfigPath, tokenizerSchema)
  const promptsPath = at('config_sentence_transformers.json')
  const prompts = (await readSettings(promptsPath, promptsSchema))?.prompts ?? {}
  const positions = (config?.max_position_embeddings ?? 512) - (offsetTypes.has(config?.model_type ?? '') ? 2 : 0)
  return {
    name: basename(directory),
    dimensions: config?.hidden_size,
    model: {
      kind: 'onnx',
      modelPath,
      tokenizerPath,
      ...(tokenizer === undefined ? {} : { tokenizerConfigPath }),
      tokensMax: Math.min(positions, sentence?.max_seq_length ?? tokenizer?.model_max_length ?? positions),
      pooling: poolingOf(pooling),
    },
    prompts: { query: prompts['query'] ?? '', document: prompts['document'] ?? prompts['passage'] ?? '' },
    files: [
      modelPath,
      `${modelPath}_data`,
      `${modelPath}.data`,
      tokenizerPath,
      tokenizerConfigPath,
      at('1_Pooling', 'config.json'),
      at('sentence_bert_config.json'),
      promptsPath,
    ].filter((path) => existsSync(path)),
  }
}

/** A digest of the content of all files: another one makes other vectors. */
export async function digestOf(files: readonly string[], signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  for (const file of files) {
    hash.update(`\n${basename(file)}\n`)
    for await (const chunk of createReadStream(file, { signal })) if (Buffer.isBuffer(chunk)) hash.update(chunk)
  }
  return `sha256:${hash.digest('hex').slice(0, 32)}`
}

/** Without a word on it, the mean: what most models for sentences were trained with. */
function poolingOf(settings: z.output<typeof poolingSchema> | undefined): OnnxModel['pooling'] {
  if (settings === undefined || settings.pooling_mode_mean_tokens) return 'mean'
  if (settings.pooling_mode_cls_token) return 'cls'
  throw new ConflictError('Cannot use the embedding model as it pools neither by its first token nor by the mean', {
    remedy: 'Take another model; 1_Pooling/config.json says how one pools',
  })
}

/** The content of a JSON file, undefined where there is none. */
async function readSettings<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S> | undefined> {
  if (!existsSync(path)) return undefined
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    throw new ConflictError(`Cannot read ${basename(path)} of the embedding model`, {
      remedy: `Check the file: ${messageOf(error)}`,
      cause: error,
    })
  }
}
