import { messageOf } from '../../errors.ts'
import { limits } from '../../limits.ts'
import { agreed, counted } from '../../model/text/counted.ts'
import type { EmbeddingModel } from '../../ports/embedder.ts'
import type { VectorFilter, VectorIndex, VectorMatch } from '../../ports/vector-index.ts'
import type { Database } from '../../store/database.ts'
import { messageLevel } from '../../store/search/search-units.ts'
import { readModels, type StoredModel } from '../../store/vectors/embedding-models.ts'
import { embedTopic, outboxBacklog, waitingReason } from '../../store/work/outbox.ts'
import { embeddedPart } from '../query/embedded-part.ts'
import { isNotOffered, WaitForMeaning } from './wait-for-meaning.ts'
import type { Weights } from './weights.ts'

/** The vector of a tenant's query by a given model; of length 1. A ProviderError where that model cannot be asked. */
export type EmbedQuery = (
  model: EmbeddingModel,
  text: string,
  options: { readonly tenantId: number; readonly signal: AbortSignal; readonly retryMs?: number },
) => Promise<Float32Array>

export interface SemanticDependencies {
  readonly database: Database
  readonly index: VectorIndex
  readonly embedQuery: EmbedQuery
}

/** Nearest messages or parts of them, best first, and how much the fusion listens to them. */
export interface SemanticList {
  readonly weight: number
  readonly matches: readonly VectorMatch[]
}

/**
 * - `on`: every message that has a vector to be was compared
 * - `behind`: some have none yet, or the model was not loaded in time, or is not offered yet
 * - `unavailable`: the embedder or the index did not answer
 * - `off`: none is configured
 */
export type SemanticState = 'on' | 'behind' | 'unavailable' | 'off'

export interface SemanticResult {
  readonly state: SemanticState
  readonly lists: readonly SemanticList[]
  /** Why it is not `on`, for `degraded`. */
  readonly reason?: string
  /** There was no answer in time: the model was not loaded, or had much to do. */
  readonly isLate?: boolean
}

export interface SemanticRequest {
  readonly tenantId: number
  readonly text: string
  readonly filter: VectorFilter
  /** Matches wanted of each model. */
  readonly limit: number
  readonly weights: Weights
  readonly waitMs: number
  /** Nothing else is asked: a model that begins, and vectors that are being made, are waited for. */
  readonly isAlone: boolean
}

/** Nearest messages by meaning, in every model that is searchable. Never fails: the state says what was not to be had. */
export async function searchByMeaning(
  dependencies: SemanticDependencies,
  request: SemanticRequest,
): Promise<SemanticResult> {
  const { database } = dependencies
  const signal = AbortSignal.timeout(request.waitMs)
  const waiting = request.isAlone ? new WaitForMeaning(dependencies, request.tenantId, signal) : undefined
  const readSearchable = () => searchableModels(dependencies, request.tenantId)
  const models = await (waiting === undefined ? readSearchable() : waiting.forFirst(readSearchable))
  if (models.length === 0) {
    database.needWork?.()
    const why = await database.run((sql) => waitingReason(sql, request.tenantId, embedTopic))
    const reason = 'no message has a vector yet'
    if (why === undefined) return { state: 'behind', lists: [], reason }
    return { state: 'unavailable', lists: [], reason: `${reason}. ${why}` }
  }
  const found = await Promise.all(models.map((model) => searchModel(dependencies, request, { model, signal, waiting })))
  const lists = found.flatMap((result) => result.lists)
  const current = found[models.findIndex(({ state }) => state === 'current')]
  const failed = current ?? found[0]
  // Where only a former model answers, what was said since is not compared.
  if (failed?.reason !== undefined)
    return failed.isLate
      ? { state: 'behind', lists, reason: failed.reason, isLate: true }
      : { state: 'unavailable', lists, reason: failed.reason }
  const { messages } = await database.run((sql) =>
    outboxBacklog(sql, request.tenantId, { topic: embedTopic, waiting: true }),
  )
  if (messages > 0)
    return {
      state: 'behind',
      lists,
      reason: `${counted(messages, 'message')} ${agreed(messages, 'is', 'are')} not found by meaning yet`,
    }
  if (found.some(({ isBehind }) => isBehind))
    return { state: 'behind', lists, reason: 'the vector index is some seconds behind' }
  return { state: 'on', lists }
}

/** Vectors in another index were left behind when this one was set up. */
async function searchableModels(
  { database, index }: SemanticDependencies,
  tenantId: number,
): Promise<readonly StoredModel[]> {
  const known = await database.run((sql) => readModels(sql, tenantId))
  return known.filter((model) => model.index === index.name)
}

const localProviders: ReadonlySet<string> = new Set(['local', 'onnx'])

interface ModelResult {
  readonly lists: readonly SemanticList[]
  readonly isBehind: boolean
  readonly isLate: boolean
  readonly reason?: string
}

async function searchModel(
  { index, embedQuery }: SemanticDependencies,
  request: SemanticRequest,
  context: {
    readonly model: StoredModel
    readonly signal: AbortSignal
    readonly waiting: WaitForMeaning | undefined
  },
): Promise<ModelResult> {
  const { model, signal } = context
  const { tenantId } = request
  // A former model gets no more vectors, and may be offered by nobody.
  const waiting = model.state === 'current' ? context.waiting : undefined
  try {
    const isLocal = localProviders.has(model.provider)
    const text = isLocal ? embeddedPart(request.text) : request.text
    // An attempt that begins later would end after the search has given up, and could not say why it failed.
    const retryMs = request.waitMs / 2
    const embed = () => embedQuery(model, text, { tenantId, signal, retryMs })
    const vector = await (waiting?.forOffer(embed) ?? embed())
    await waiting?.forVectors()
    const space = { tenantId, modelId: model.id, dimensions: model.dimensions }
    const limit = Math.min(request.limit, limits.vectorMatchesMax)
    const { matches, behind } = await index.query(
      space,
      { vector, level: messageLevel, limit, filter: request.filter },
      { signal },
    )
    const { meaning, meaningLocal } = request.weights
    return { lists: [{ weight: isLocal ? meaningLocal : meaning, matches }], isBehind: behind, isLate: false }
  } catch (error) {
    if (signal.aborted)
      return { lists: [], isBehind: false, isLate: true, reason: `nothing was compared within ${request.waitMs} ms` }
    return { lists: [], isBehind: false, isLate: isNotOffered(error), reason: messageOf(error) }
  }
}
