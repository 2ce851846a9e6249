import type { ServerCommand } from '../server-process.ts'

/** A message as every peer is given it: the time and the sender's name stand in the text, where all of them look. */
export interface PeerMessage {
  /** Its id in the benchmark. */
  readonly ref: string
  readonly sender: string
  /** ISO 8601. */
  readonly timestamp: string
  readonly text: string
}

/** Calls a tool of the peer and returns the text of its reply. Throws where the peer says that it failed. */
export type CallTool = (name: string, args: Readonly<Record<string, unknown>>) => Promise<string>

/** What a peer found, best first, and how long its reply was. */
export interface Found {
  readonly refs: readonly string[]
  readonly reply: string
}

/** How one memory is used: by the tools and in the way that its own documentation names for this job. */
export interface Peer {
  readonly name: string
  /** npm packages with their exact versions; none for the product itself. */
  readonly packages: readonly string[]
  /** Which of its tools saves and which searches. */
  readonly tools: string
  /** False where the tools are a wrapper of this bench around a library, whose definitions say nothing about it. */
  readonly hasOwnTools: boolean
  /**
   * Where a search finds only what holds the whole query, a question finds nothing: such a peer is also asked for each
   * word of the question, and what holds most of them comes first, as a patient caller would do it.
   */
  readonly isAskedByWords: boolean
  /** Whether it asks the embedding server of this bench for vectors. */
  readonly needsVectors: boolean
  /** `store` is an empty directory of its own, for all processes on the same memory; `installed` holds the packages. */
  readonly command: (where: {
    readonly installed: string
    readonly store: string
    readonly embeddings: string
  }) => ServerCommand
  /** Resolves when the peer has acknowledged the message. */
  readonly save: (call: CallTool, message: PeerMessage) => Promise<void>
  /** Resolves when what was acknowledged is found in every way, where some of that comes later. */
  readonly settle?: (call: CallTool) => Promise<void>
  /** The best ten, or what it gives. */
  readonly search: (call: CallTool, query: string) => Promise<Found>
  /** Messages that a fresh process finds in the store. */
  readonly count: (call: CallTool) => Promise<number>
}

export const wantedHits = 10

/** The text that peers without fields for time and sender are given. */
export function lineOf({ timestamp, sender, text }: PeerMessage): string {
  return `${timestamp} ${sender}: ${text}`
}
