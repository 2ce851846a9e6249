import { z } from 'zod'

import { nameTypes } from '../../model/names.ts'

/** The model of the packages that come with Verbatim: what its weights' package says of itself. */
const packagedModel = z.object({
  kind: z.literal('local'),
  manifest: z.object({
    id: z.string(),
    dimensions: z.number().int().positive(),
    maxTokens: z.number().int().positive(),
    pooling: z.literal('mean'),
    normalize: z.boolean(),
    weightsPath: z.string(),
    tokenizerPath: z.string(),
    configPath: z.string(),
  }),
})

/** A model that embeds, in a directory of the user's. */
const onnxModel = z.object({
  kind: z.literal('onnx'),
  modelPath: z.string(),
  tokenizerPath: z.string(),
  tokenizerConfigPath: z.string().optional(),
  tokensMax: z.number().int().positive(),
  /** `cls`: the vector of the first token; `mean`: the mean of all. */
  pooling: z.enum(['cls', 'mean']),
})

/** A model that gives each token a label, in a directory of the user's. */
const onnxNamesModel = z.object({
  kind: z.literal('onnx-names'),
  modelPath: z.string(),
  tokenizerPath: z.string(),
  tokenizerConfigPath: z.string().optional(),
  tokensMax: z.number().int().positive(),
  /** By their number in what the model gives. */
  labels: z.array(z.string()).min(1),
})

export const modelThreadOptions = z.discriminatedUnion('kind', [packagedModel, onnxModel, onnxNamesModel])

export type ModelThreadOptions = z.infer<typeof modelThreadOptions>
export type OnnxModel = z.infer<typeof onnxModel>
export type OnnxNamesModel = z.infer<typeof onnxNamesModel>

/** One text; the thread has one at a time. */
export const modelThreadRequest = z.object({ text: z.string() })

export const modelThreadReply = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('not_installed') }),
  z.object({ kind: z.literal('vector'), values: z.custom<Float32Array>((value) => value instanceof Float32Array) }),
  z.object({ kind: z.literal('names'), names: z.array(z.object({ type: z.enum(nameTypes), name: z.string() })) }),
  /** `reason` may quote the text: it is for the cause of an error only. */
  z.object({ kind: z.literal('failed'), reason: z.string() }),
])

export type ModelThreadReply = z.infer<typeof modelThreadReply>
