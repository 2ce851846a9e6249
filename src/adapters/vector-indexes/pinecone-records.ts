import type { PineconeRecord } from '@pinecone-database/pinecone'
import { z } from 'zod'

import { ProviderError } from '../../ports/provider-error.ts'
import type { VectorFilter, VectorKey, VectorQuery, VectorRecord, VectorSpace } from '../../ports/vector-index.ts'
import { keyText } from './vector-batches.ts'

/** What Pinecone learns of a vector besides its numbers: a fixed vocabulary and numbers, never text of a message. */
interface UnitMetadata {
  readonly [name: string]: string | number
}

/** Every tenant and model has a namespace: nothing is ever compared across two. */
export function namespaceOf({ tenantId, modelId }: VectorSpace): string {
  return `t${tenantId}-m${modelId}`
}

export function toPineconeRecord(record: VectorRecord): PineconeRecord<UnitMetadata & Record<string, string | number>> {
  return {
    id: keyText(record),
    // Nine digits give back the same float32; the number as it is has seventeen.
    values: Array.from(record.vector, (value) => Number(value.toPrecision(9))),
    metadata: {
      level: record.level,
      session: record.sessionId,
      timestamp: record.timestampMs,
      role: record.role,
    },
  }
}

const idPattern = /^([0-9a-f-]{36}):(\d+):(\d+):(\d+)$/

/** Throws ProviderError where the id is not one of ours. */
export function toVectorKey(id: string): VectorKey {
  const [, sessionId, level, firstSeq, part] = idPattern.exec(id) ?? []
  if (sessionId === undefined) throw new ProviderError('pinecone', 'malformed')
  return { sessionId, level: Number(level), firstSeq: Number(firstSeq), part: Number(part) }
}

/** One condition an operator: what several in one object mean is not described for every field. */
export function toPineconeFilter({ level, filter }: Pick<VectorQuery, 'level' | 'filter'>): object {
  const conditions: object[] = [{ level: { $eq: level } }]
  if (filter.sessionIds !== undefined) conditions.push({ session: { $in: filter.sessionIds } })
  if (filter.notSessionId !== undefined) conditions.push({ session: { $ne: filter.notSessionId } })
  if (filter.sinceMs !== undefined) conditions.push({ timestamp: { $gte: filter.sinceMs } })
  if (filter.untilMs !== undefined) conditions.push({ timestamp: { $lte: filter.untilMs } })
  if (filter.roles !== undefined) conditions.push({ role: { $in: filter.roles } })
  return { $and: conditions }
}

/** Pinecone is not asked where nothing can be found: it refuses an empty list. */
export function canMatch(filter: VectorFilter): boolean {
  const canBeIn = filter.sessionIds === undefined || filter.sessionIds.some((id) => id !== filter.notSessionId)
  return canBeIn && filter.roles?.length !== 0
}

/** Splits records so that a request keeps both bounds. */
export function* requestsOf<R>(
  records: readonly R[],
  bounds: { readonly recordsMax: number; readonly bytesMax: number },
): Generator<R[]> {
  let request: R[] = []
  let sizeBytes = 0
  for (const record of records) {
    // Ids, numbers and names are ASCII: a character is a byte.
    const recordBytes = JSON.stringify(record).length + 1
    if (request.length > 0 && (request.length >= bounds.recordsMax || sizeBytes + recordBytes > bounds.bytesMax)) {
      yield request
      request = []
      sizeBytes = 0
    }
    request.push(record)
    sizeBytes += recordBytes
  }
  if (request.length > 0) yield request
}

/** What is used of the client's answers; the client takes whatever comes. */
export const answers = {
  query: z.object({
    matches: z.array(z.object({ id: z.string(), score: z.number() })),
  }),
  fetch: z.object({ records: z.record(z.string(), z.object({ values: z.array(z.number()) })) }),
  list: z.object({
    vectors: z.array(z.object({ id: z.string() })).optional(),
    pagination: z.object({ next: z.string().optional() }).optional(),
  }),
  stats: z.object({ namespaces: z.record(z.string(), z.object({ recordCount: z.number().int() })) }),
} as const
