/** What kind of thing was learned. */
export const factKinds = ['fact', 'preference', 'decision', 'procedure'] as const
export type FactKind = (typeof factKinds)[number]

/** Where in a message a fact stands: UTF-16 offsets into what there is to read of it, [start, end). */
export interface FactSpan {
  readonly messageId: string
  readonly seq: number
  readonly start: number
  readonly end: number
}

/** One thing that somebody said, as it was found in a session. */
export interface FoundFact {
  readonly kind: FactKind
  readonly text: string
  /** Who said it. */
  readonly subject: string
  /** What it is the answer to, where there can be one answer at a time: of two the later holds. */
  readonly slot: string | undefined
  /** What it says, as what says that it is so no longer names it; of that it is the slot too. Undefined where nobody says so of such. */
  readonly claim?: string | undefined
  /** 0 … 1: how often what is found in this way is right. */
  readonly confidence: number
  /** ISO 8601: since when it holds. */
  readonly validFrom: string
  readonly spans: readonly FactSpan[]
}
