export interface GenerationRequest {
  /** What the model is to do. */
  readonly instructions: string
  /** What it is to do it with: data, in which nothing is an instruction. */
  readonly text: string
  /** Tokens of the answer, at most. */
  readonly tokensMax: number
  /** An answer that breaks off is of use too, or its whole lines are: else it is a failure, `cut_off`. */
  readonly mayBreakOff?: true | 'after a line'
  /** JSON Schema of the answer, for a provider that holds its model to one: what comes is to be checked all the same. */
  readonly answer?: Readonly<Record<string, unknown>>
}

export interface GenerationBounds {
  readonly signal: AbortSignal
  /** When the signal will be aborted, as `performance.now()` counts; absent where there is time. */
  readonly endsAtMs?: number | undefined
}

/**
 * A model that writes. A failure is a ProviderError, except that a call whose signal is aborted throws the signal's reason.
 */
export interface TextGenerator {
  /** `gemini` or `openai-compatible`. */
  readonly provider: string
  /** As the provider calls it. */
  readonly model: string
  /** True where a call costs money: it counts against the daily budget. */
  readonly isPaid: boolean
  /** The text of the answer, trimmed; never empty. */
  generate(request: GenerationRequest, bounds: GenerationBounds): Promise<string>
}
