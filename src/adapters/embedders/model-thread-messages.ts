import { z } from 'zod'

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

/** A model in a directory of the user's. */
const onnxModel = z.object({
  kind: z.literal('onnx'),
  modelPath: z.string(),
  tokenizerPath: z.string(),
  tokenizerConfigPath: z.string().optional(),
  tokensMax: z.number().int().positive(),
  /** `cls`: the vector of the first token; `mean`: the mean of all. */
  pooling: z.enum(['cls', 'mean']),
})

export const modelThreadOptions = z.discriminatedUnion('kind', [packagedModel, onnxModel])

export type ModelThreadOptions = z.infer<typeof modelThreadOptions>
export type OnnxModel = z.infer<typeof onnxModel>

/** One text; the thread has one at a time. */
export const modelThreadRequest = z.object({ text: z.string() })

export const modelThreadReply = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('not_installed') }),
  z.object({ kind: z.literal('vector'), values: z.custom<Float32Array>((value) => value instanceof Float32Array) }),
  /** `reason` may quote the text: it is for the cause of an error only. */
  z.object({ kind: z.literal('failed'), reason: z.string() }),
])

export type ModelThreadReply = z.infer<typeof modelThreadReply>
