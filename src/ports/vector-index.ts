import type { Role } from '../model/messages/message.ts'

/** The vectors of one model for one tenant. Nothing is ever compared across two spaces. */
export interface VectorSpace {
  readonly tenantId: number
  /** The number of the model in `embedding_models`. */
  readonly modelId: number
  readonly dimensions: number
}

/** What a vector stands for: the key of a search unit. `level` is 0 message, 1 context window, 2 session. */
export interface VectorKey {
  readonly level: number
  /** UUID. */
  readonly sessionId: string
  readonly firstSeq: number
  readonly part: number
}

/** A vector with what it can be filtered by: numbers only, never text of a message. */
export interface VectorRecord extends VectorKey {
  /** Length 1, `dimensions` numbers. */
  readonly vector: Float32Array
  readonly timestampMs: number
  readonly role: Role
}

/** Absent members do not restrict. */
export interface VectorFilter {
  /** Any of them; none where it is empty. At most 1,000. */
  readonly sessionIds?: readonly string[] | undefined
  readonly notSessionId?: string | undefined
  readonly sinceMs?: number | undefined
  readonly untilMs?: number | undefined
  readonly roles?: readonly Role[] | undefined
}

export interface VectorQuery {
  /** Length 1, `dimensions` numbers. */
  readonly vector: Float32Array
  readonly level: number
  /** Matches wanted at most, >= 1. */
  readonly limit: number
  readonly filter: VectorFilter
}

export interface VectorMatch extends VectorKey {
  /** Cosine, -1 … 1. */
  readonly similarity: number
}

export interface VectorResult {
  /** Best first; of equals the one with the lower key first. */
  readonly matches: readonly VectorMatch[]
  /** True where vectors that this process wrote are not found yet: the same query may find more in a few seconds. */
  readonly behind: boolean
}

export interface CallOptions {
  readonly signal: AbortSignal
}

/**
 * Nearest vectors by cosine. Every write is idempotent and may be repeated. A failure of a remote index is a ProviderError;
 * nothing is tried again here beyond what the provider's own client does.
 */
export interface VectorIndex {
  readonly kind: 'pgvector' | 'pinecone'
  /** Which one it is: vectors in another are not in this one. "pgvector", "pinecone/<index>". */
  readonly name: string
  /** Stores records, replacing those with the same key. Any number: the index splits them. */
  upsert(space: VectorSpace, records: readonly VectorRecord[], options: CallOptions): Promise<void>
  /** The stored vectors of some keys, for copying them to units with the same text; those not there are absent. */
  fetch(
    space: VectorSpace,
    keys: readonly VectorKey[],
    options: CallOptions,
  ): Promise<(VectorKey & { readonly vector: Float32Array })[]>
  /** The nearest, at most `vectorMatchesMax` of limits.ts. Approximate where there are many. */
  query(space: VectorSpace, query: VectorQuery, options: CallOptions): Promise<VectorResult>
  /** Removes some vectors; removing one that is not there succeeds. */
  delete(space: VectorSpace, keys: readonly VectorKey[], options: CallOptions): Promise<void>
  /** Removes every vector of a session. */
  deleteSession(space: VectorSpace, sessionId: string, options: CallOptions): Promise<void>
  /** Removes every vector of the space. */
  deleteSpace(space: VectorSpace, options: CallOptions): Promise<void>
  /** Vectors in the space; a remote index may answer with a number that is some seconds old. */
  count(space: VectorSpace, options: CallOptions): Promise<number>
  close(): Promise<void>
}
