import type { FoundName } from '../model/names.ts'

/** What was found in one text. */
export interface NamesInText {
  readonly names: readonly FoundName[]
  /** Whether all of the text was looked through. */
  readonly isWhole: boolean
}

/**
 * A model that finds names of persons, places and organizations in texts. What it gives is not checked: whether a name stands in its
 * text is the caller's to see. A failure is a ProviderError, except that a call whose signal is aborted throws the signal's reason.
 * Nothing is tried again here.
 */
export interface NameFinder {
  /** `gemini`, `openai-compatible` or `onnx`. */
  readonly provider: string
  /** Whether texts leave this machine, or may: then nothing secret is in what it is given. */
  readonly isRemote: boolean
  /** Longer texts are to be given in pieces. */
  readonly pieceCharactersMax: number
  /**
   * For each text, in their order, what was found; undefined where the model gave no usable answer for it, in time. It may leave texts
   * at the end for another call, which then are not in the answer, but never all.
   */
  find(
    texts: readonly string[],
    options: { readonly signal: AbortSignal },
  ): Promise<readonly (NamesInText | undefined)[]>
  close(): Promise<void>
}
