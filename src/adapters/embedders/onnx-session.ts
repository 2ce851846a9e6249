import { readFile } from 'node:fs/promises'

import { z } from 'zod'

import { importPackage } from '../optional-package.ts'
import type { OnnxModel } from './model-thread-messages.ts'
import { isOnnxRuntime, isTokenizerPackage, type OnnxTensor } from './onnx-packages.ts'

/** What a BERT-like model may ask for; each input gets one number a token. */
const inputs: ReadonlyMap<string, (ids: readonly number[]) => readonly number[]> = new Map([
  ['input_ids', (ids) => ids],
  ['attention_mask', (ids) => ids.map(() => 1)],
  ['token_type_ids', (ids) => ids.map(() => 0)],
  ['position_ids', (ids) => ids.map((_id, place) => place)],
])

const objectSchema = z.record(z.string(), z.unknown())

/**
 * Loads an ONNX model with its tokenizer; the function that it gives makes the vector of a text, not normalised. Rejects
 * with the error of the import where a package is missing, and with any error where the model cannot be used.
 */
export async function loadOnnxModel(model: OnnxModel): Promise<(text: string) => Promise<Float32Array>> {
  const { InferenceSession, Tensor } = await importPackage('onnxruntime-node', isOnnxRuntime)
  const { Tokenizer } = await importPackage('@huggingface/tokenizers', isTokenizerPackage)
  const config = model.tokenizerConfigPath === undefined ? {} : await readJson(model.tokenizerConfigPath)
  const tokenizer = new Tokenizer(await readJson(model.tokenizerPath), config)
  const session = await InferenceSession.create(model.modelPath, {
    // One core: this work goes on in the background of everything else.
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    // It writes to stderr by itself; warnings are about how a model was exported, which is not the user's to mend.
    logSeverityLevel: 3,
  })
  const unknown = session.inputNames.find((name) => !inputs.has(name))
  if (unknown !== undefined) throw new Error(`The model has an input that is not of a text model: ${unknown}`)
  return async (text) => {
    const ids = cutIds(tokenizer.encode(text).ids, model.tokensMax)
    const feeds = session.inputNames.map((name) => {
      const values = inputs.get(name)?.(ids) ?? []
      return [name, new Tensor('int64', BigInt64Array.from(values, BigInt), [1, ids.length])] as const
    })
    const output = await session.run(Object.fromEntries(feeds))
    const tensor = output['last_hidden_state'] ?? output['token_embeddings'] ?? output[session.outputNames[0] ?? '']
    if (tensor === undefined) throw new Error('The model has no output')
    return pool(tensor, model.pooling)
  }
}

/** The last token ends a text, whatever was cut before it. */
function cutIds(ids: readonly number[], tokensMax: number): readonly number[] {
  return ids.length <= tokensMax ? ids : [...ids.slice(0, tokensMax - 1), ...ids.slice(-1)]
}

/** One text: [1, tokens, dimensions], or [1, dimensions] where the model has pooled already. */
function pool({ dims, data }: OnnxTensor, pooling: OnnxModel['pooling']): Float32Array {
  const dimensions = dims.at(-1) ?? 0
  if (!(data instanceof Float32Array) || dimensions === 0 || data.length % dimensions !== 0)
    throw new Error('The output of the model is not vectors of 32-bit numbers')
  if (dims.length === 2 || pooling === 'cls') return data.slice(0, dimensions)
  const tokens = data.length / dimensions
  const mean = new Float32Array(dimensions)
  for (const [index, value] of data.entries()) {
    const place = index % dimensions
    mean[place] = (mean[place] ?? 0) + value / tokens
  }
  return mean
}

async function readJson(path: string): Promise<Record<string, unknown>> {
  return objectSchema.parse(JSON.parse(await readFile(path, 'utf8')))
}
