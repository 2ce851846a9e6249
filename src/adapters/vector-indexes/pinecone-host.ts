import { setTimeout as sleep } from 'node:timers/promises'

import { z } from 'zod'

import { ConflictError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import { ProviderError } from '../../ports/provider-error.ts'
import { callPinecone, parseAnswer, type PineconeConnection } from './pinecone-call.ts'

export interface PineconeTarget extends PineconeConnection {
  /** The name of the index. */
  readonly index: string
  /** Where an index that is missing is made, serverless; without it a missing index is refused. */
  readonly create?: { readonly cloud: 'aws' | 'gcp' | 'azure'; readonly region: string } | undefined
  /** How long to wait between two looks at an index that is being made; default 1 s. */
  readonly pollMs?: number | undefined
}

/** What is used of the description of an index, openapi 2026-04 `IndexModel`. */
const descriptionSchema = z.object({
  host: z.string().min(1),
  dimension: z.number().int().optional(),
  metric: z.string(),
  status: z.object({ ready: z.boolean(), state: z.string() }),
})

type Description = z.infer<typeof descriptionSchema>

/** States that an index does not leave by itself. */
const finalStates: ReadonlySet<string> = new Set(['InitializationFailed', 'Terminating', 'Disabled'])

/**
 * The address of the index, which is made where it is missing and may be. Throws ConflictError where the index is for
 * other vectors, ProviderError where Pinecone does not answer or does not know the index.
 */
export async function findPineconeHost(
  target: PineconeTarget,
  dimensions: number,
  signal: AbortSignal,
): Promise<{ readonly host: string; readonly dimensions: number }> {
  const description = (await describe(target, signal)) ?? (await create(target, dimensions, signal))
  requireUsable(target.index, description)
  return { host: description.host, dimensions: description.dimension ?? 0 }
}

/** An index has one number of dimensions for ever: another model's vectors go to another index. */
export function requireIndexDimensions(index: string, found: number, wanted: number): void {
  if (found === wanted) return
  throw new ConflictError(
    `Cannot use the Pinecone index "${index}" as it has ${found} dimensions and the embedding model has ${wanted}`,
    {
      remedy: 'Set PINECONE_INDEX to another name: an index keeps the dimensions that it was made with',
    },
  )
}

function requireUsable(index: string, { metric }: Description): void {
  // Vectors have the length 1, for which these two are the same.
  if (metric === 'cosine' || metric === 'dotproduct') return
  throw new ConflictError(`Cannot use the Pinecone index "${index}" as it does not compare by cosine`, {
    remedy: 'Set PINECONE_INDEX to the name of an index with the metric "cosine", or to a name that is not used yet',
  })
}

async function describe(target: PineconeTarget, signal: AbortSignal): Promise<Description | undefined> {
  try {
    const { value } = await callPinecone(target, signal, (client) => client.describeIndex(target.index))
    return parseAnswer(descriptionSchema, value)
  } catch (error) {
    if (error instanceof ProviderError && error.status === 404 && target.create !== undefined) return undefined
    throw error
  }
}

/** The client's own wait looks every 5 s and does not see a signal. */
async function create(target: PineconeTarget, dimension: number, signal: AbortSignal): Promise<Description> {
  const { create: place, index: name } = target
  if (place === undefined) throw new ProviderError('pinecone', 'refused', { status: 404 })
  await callPinecone(target, signal, (client) =>
    // Another process may have been faster: that is as good.
    client.createIndex({
      name,
      dimension,
      metric: 'cosine',
      spec: { serverless: { ...place } },
      suppressConflicts: true,
    }),
  )
  const pollMs = target.pollMs ?? 1_000
  for (let waitedMs = 0; waitedMs < limits.pineconeCreateMs; waitedMs += pollMs) {
    const description = await describe(target, signal)
    if (description?.status.ready === true) return description
    if (description !== undefined && finalStates.has(description.status.state))
      throw new ProviderError('pinecone', 'refused')
    await sleep(pollMs, undefined, { signal })
  }
  throw new ProviderError('pinecone', 'timeout')
}
