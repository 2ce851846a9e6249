import { readFile } from 'node:fs/promises'

import { z } from 'zod'

import { importPackage } from '../optional-package.ts'
import type { OnnxModel, OnnxNamesModel } from './model-thread-messages.ts'
import { isOnnxRuntime, isTokenizerPackage, type OnnxTensor } from './onnx-packages.ts'

/** What a BERT-like model may ask for; each input gets one number a token. */
const inputs: ReadonlyMap<string, (ids: readonly number[]) => readonly number[]> = new Map([
  ['input_ids', (ids) => ids],
  ['attention_mask', (ids) => ids.map(() => 1)],
  ['token_type_ids', (ids) => ids.map(() => 0)],
  ['position_ids', (ids) => ids.map((_id, place) => place)],
])

const objectSchema = z.record(z.string(), z.unknown())

/** A model of one text at a time. */
interface OpenModel {
  /** The tokens of a text, as the model reads a whole one. */
  readonly encodeWhole: (text: string) => readonly number[]
  /** The tokens of a part of a text. */
  readonly encode: (text: string) => readonly number[]
  /** What stands before and behind the tokens of a whole text. */
  readonly encodeAround: () => readonly [before: readonly number[], behind: readonly number[]]
  /** The first output that has one of these names; else the first of all. */
  readonly run: (ids: readonly number[], outputs: readonly string[]) => Promise<OnnxTensor>
}

/**
 * Opens an ONNX model with its tokenizer. Rejects with the error of the import where a package is missing, and with any error where
 * the model cannot be used.
 */
export async function openOnnxModel(model: OnnxModel | OnnxNamesModel): Promise<OpenModel> {
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
  const encode = (text: string) => tokenizer.encode(text, { add_special_tokens: false }).ids
  return {
    encode,
    encodeWhole: (text) => tokenizer.encode(text).ids,
    encodeAround() {
      const whole = tokenizer.encode('a').ids
      const own = encode('a')
      const at = whole.findIndex((_id, index) => own.every((id, further) => whole[index + further] === id))
      return at === -1 ? [[], []] : [whole.slice(0, at), whole.slice(at + own.length)]
    },
    async run(ids, outputs) {
      const feeds = session.inputNames.map((name) => {
        const values = inputs.get(name)?.(ids) ?? []
        return [name, new Tensor('int64', BigInt64Array.from(values, BigInt), [1, ids.length])] as const
      })
      const output = await session.run(Object.fromEntries(feeds))
      const named = outputs.find((name) => output[name] !== undefined)
      const tensor = output[named ?? session.outputNames[0] ?? '']
      if (tensor === undefined) throw new Error('The model has no output')
      return tensor
    },
  }
}

/** Loads a model that embeds; the function that it gives makes the vector of a text, not normalised. Rejects as `openOnnxModel`. */
export async function loadOnnxModel(model: OnnxModel): Promise<(text: string) => Promise<Float32Array>> {
  const { encodeWhole, run } = await openOnnxModel(model)
  return async (text) => {
    const ids = cutIds(encodeWhole(text), model.tokensMax)
    return pool(await run(ids, ['last_hidden_state', 'token_embeddings']), model.pooling)
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
