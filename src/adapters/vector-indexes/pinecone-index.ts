import { setTimeout as sleep } from 'node:timers/promises'

import type { Index } from '@pinecone-database/pinecone'

import { LimitError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import { ProviderError } from '../../ports/provider-error.ts'
import type {
  CallOptions,
  VectorIndex,
  VectorKey,
  VectorMatch,
  VectorQuery,
  VectorRecord,
  VectorResult,
  VectorSpace,
} from '../../ports/vector-index.ts'
import { callPinecone, parseAnswer } from './pinecone-call.ts'
import { findPineconeHost, requireIndexDimensions, type PineconeTarget } from './pinecone-host.ts'
import {
  answers,
  canMatch,
  namespaceOf,
  requestsOf,
  toPineconeFilter,
  toPineconeRecord,
  toVectorKey,
} from './pinecone-records.ts'
import { batches, keyText, lastOfEachKey, requireDimensions } from './vector-batches.ts'

type Host = Awaited<ReturnType<typeof findPineconeHost>>

/** Ids go into the address of a fetch: 100 of them make 5,000 characters and at most 4 MB of answer. */
const fetchBatch = 100
const upsertBounds = { recordsMax: 1_000, bytesMax: 1_900_000 } as const
const deleteBatch = 1_000
const freshnessPollMs = 500

/**
 * Vectors in a serverless index of Pinecone, a namespace a tenant and model. Pinecone gets ids, numbers and roles, never
 * text. What is written is found some seconds later; until then `query` says that it is behind.
 */
export class PineconeIndex implements VectorIndex {
  readonly kind = 'pinecone'
  readonly name: string
  readonly #target: PineconeTarget
  /** The number of the last write of this process to each namespace. */
  readonly #written = new Map<string, number>()
  #host: Host | undefined

  constructor(target: PineconeTarget) {
    this.#target = target
    this.name = `pinecone/${target.index}`
  }

  async upsert(space: VectorSpace, records: readonly VectorRecord[], options: CallOptions): Promise<void> {
    for (const { vector } of records) requireDimensions(space, vector)
    const all = lastOfEachKey(records).map(toPineconeRecord)
    for (const request of requestsOf(all, upsertBounds)) {
      const { headers } = await this.#call(space, options, (index) => index.upsert({ records: request }))
      const written = numberOf(headers, 'x-pinecone-request-lsn')
      if (written !== undefined) this.#written.set(namespaceOf(space), written)
    }
  }

  async fetch(
    space: VectorSpace,
    keys: readonly VectorKey[],
    options: CallOptions,
  ): Promise<(VectorKey & { readonly vector: Float32Array })[]> {
    const found = []
    for (const batch of batches(lastOfEachKey(keys), fetchBatch)) {
      const { value } = await this.#call(space, options, (index) => index.fetch({ ids: batch.map(keyText) }))
      for (const [id, { values }] of Object.entries(parseAnswer(answers.fetch, value).records)) {
        const vector = Float32Array.from(values)
        if (vector.length !== space.dimensions) throw new ProviderError('pinecone', 'malformed')
        found.push({ ...toVectorKey(id), vector })
      }
    }
    return found
  }

  async query(space: VectorSpace, query: VectorQuery, options: CallOptions): Promise<VectorResult> {
    requireDimensions(space, query.vector)
    if (query.limit > limits.vectorMatchesMax)
      throw new LimitError('find nearest vectors', {
        what: 'limit',
        limit: limits.vectorMatchesMax,
        actual: query.limit,
      })
    options.signal.throwIfAborted()
    if (!canMatch(query.filter)) return { matches: [], behind: false }
    const { value, headers } = await this.#call(space, options, (index) =>
      index.query({ vector: [...query.vector], topK: query.limit, filter: toPineconeFilter(query) }),
    )
    const matches = parseAnswer(answers.query, value).matches.map(({ id, score }) => ({
      ...toVectorKey(id),
      similarity: Math.max(-1, Math.min(1, score)),
    }))
    return { matches: matches.toSorted(byRank), behind: this.#isBehind(space, headers) }
  }

  async delete(space: VectorSpace, keys: readonly VectorKey[], options: CallOptions): Promise<void> {
    await this.#deleteIds(space, lastOfEachKey(keys).map(keyText), options)
  }

  /**
   * Finds the session's vectors by their ids. A list may lack what was written in the last seconds, so writes of this
   * process are waited for; of those of other processes only `delete` with their keys is sure.
   */
  async deleteSession(space: VectorSpace, sessionId: string, options: CallOptions): Promise<void> {
    await this.#untilIndexed(space, options)
    let paginationToken: string | undefined
    do {
      const page = paginationToken === undefined ? {} : { paginationToken }
      const { value } = await this.#call(space, options, (index) =>
        index.listPaginated({ prefix: `${sessionId}:`, limit: 100, ...page }),
      )
      const { vectors = [], pagination } = parseAnswer(answers.list, value)
      await this.#deleteIds(
        space,
        vectors.map(({ id }) => id),
        options,
      )
      // A token that does not move would be a list without end.
      if (pagination?.next === paginationToken && paginationToken !== undefined)
        throw new ProviderError('pinecone', 'malformed')
      paginationToken = pagination?.next
    } while (paginationToken !== undefined)
  }

  async deleteSpace(space: VectorSpace, options: CallOptions): Promise<void> {
    await withoutNamespace(this.#call(space, options, (index) => index.deleteAll()))
    this.#written.delete(namespaceOf(space))
  }

  async count(space: VectorSpace, options: CallOptions): Promise<number> {
    const { value } = await this.#call(space, options, (index) => index.describeIndexStats())
    return parseAnswer(answers.stats, value).namespaces[namespaceOf(space)]?.recordCount ?? 0
  }

  /** Every call ends by itself, and no connection is kept but those that `fetch` drops when they are idle. */
  async close(): Promise<void> {}

  async #deleteIds(space: VectorSpace, ids: readonly string[], options: CallOptions): Promise<void> {
    for (const batch of batches(ids, deleteBatch))
      await withoutNamespace(this.#call(space, options, (index) => index.deleteMany({ ids: batch })))
  }

  async #untilIndexed(space: VectorSpace, options: CallOptions): Promise<void> {
    const vector = Float32Array.from({ length: space.dimensions }, (_, at) => (at === 0 ? 1 : 0))
    for (let waitedMs = 0; waitedMs < limits.pineconeFreshnessMs; waitedMs += freshnessPollMs) {
      if (!this.#written.has(namespaceOf(space))) return
      const { behind } = await this.query(space, { vector, level: 0, limit: 1, filter: {} }, options)
      if (!behind) return
      await sleep(freshnessPollMs, undefined, { signal: options.signal })
    }
    throw new ProviderError('pinecone', 'timeout')
  }

  /** Without the header nothing is known, and nothing is claimed. */
  #isBehind(space: VectorSpace, headers: Headers): boolean {
    const written = this.#written.get(namespaceOf(space))
    const indexed = numberOf(headers, 'x-pinecone-max-indexed-lsn')
    return written !== undefined && indexed !== undefined && indexed < written
  }

  /** The address of the index is asked for once, and again when nobody answers there: an index may be made anew. */
  async #call<T>(
    space: VectorSpace,
    options: CallOptions,
    work: (index: Index) => Promise<T>,
  ): Promise<{ readonly value: T; readonly headers: Headers }> {
    const host = (this.#host ??= await findPineconeHost(this.#target, space.dimensions, options.signal))
    requireIndexDimensions(this.#target.index, host.dimensions, space.dimensions)
    try {
      return await callPinecone(this.#target, options.signal, (client) =>
        work(client.index({ host: host.host, namespace: namespaceOf(space) })),
      )
    } catch (error) {
      if (error instanceof ProviderError && (error.failure === 'refused' || error.failure === 'unavailable'))
        this.#host = undefined
      throw error
    }
  }
}

/** Best first; of equals the lower key first, as far as Pinecone has given both. */
function byRank(a: VectorMatch, b: VectorMatch): number {
  return (
    b.similarity - a.similarity ||
    (a.sessionId < b.sessionId ? -1 : Number(a.sessionId > b.sessionId)) ||
    a.firstSeq - b.firstSeq ||
    a.part - b.part
  )
}

function numberOf(headers: Headers, name: string): number | undefined {
  const value = headers.get(name)
  return value !== null && /^\d+$/.test(value) ? Number(value) : undefined
}

/** A namespace that nothing was written to is not there: a delete in it is answered 404 and has nothing to do. */
async function withoutNamespace(call: Promise<unknown>): Promise<void> {
  try {
    await call
  } catch (error) {
    if (!(error instanceof ProviderError && error.status === 404)) throw error
  }
}
