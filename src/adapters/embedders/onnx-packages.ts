/** What is used of onnxruntime-node, which is there only where the user installed it. */
export interface OnnxTensor {
  readonly dims: readonly number[]
  readonly data: unknown
}

interface OnnxSession {
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  run(feeds: Readonly<Record<string, OnnxTensor>>): Promise<Readonly<Record<string, OnnxTensor>>>
}

export interface OnnxRuntime {
  readonly InferenceSession: {
    create(
      path: string,
      options: {
        readonly intraOpNumThreads: number
        readonly interOpNumThreads: number
        readonly logSeverityLevel: 3
      },
    ): Promise<OnnxSession>
  }
  readonly Tensor: new (type: 'int64', data: BigInt64Array, dims: readonly number[]) => OnnxTensor
}

/** What is used of @huggingface/tokenizers. */
export interface TokenizerPackage {
  readonly Tokenizer: new (
    tokenizer: object,
    config: object,
  ) => {
    encode(text: string, options?: { readonly add_special_tokens: boolean }): { readonly ids: readonly number[] }
  }
}

export function isOnnxRuntime(module: object): module is OnnxRuntime {
  return 'InferenceSession' in module && 'Tensor' in module && typeof module.Tensor === 'function'
}

export function isTokenizerPackage(module: object): module is TokenizerPackage {
  return 'Tokenizer' in module && typeof module.Tokenizer === 'function'
}
