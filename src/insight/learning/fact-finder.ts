import type { TellingMessage } from './extract-facts.ts'
import type { FoundFact } from './fact.ts'

/** What finds facts in messages, and what work it takes. */
export interface FactFinder {
  readonly topic: string
  /** The patterns with their version, or the provider of a model. */
  readonly madeBy: string
  /** Whether what an earlier version found in the same messages gives way to what it finds. */
  readonly isAnew?: boolean | undefined
  /** The version that finds, where what failed for good in it is tried again by another one. */
  readonly version?: string | undefined
  /** The model and whose it is, where one finds them. */
  readonly model?: string | undefined
  /** What is read at once: of a model that is asked once, so that nothing that was paid for is lost when it does not answer the next time. */
  firstBatch(messages: readonly TellingMessage[]): Batch
  find(messages: Batch['messages']): Promise<readonly FoundFact[]>
  /** A conversation that goes on is waited for so long, so that it is not read message by message. */
  readonly quietMs?: number | undefined
  /** Whose work what was just saved is after that. */
  readonly next?: string | undefined
}

export interface Batch {
  readonly messages: readonly TellingMessage[]
  /** Where the next one begins; undefined where there is none. */
  readonly nextSeq: number | undefined
}
