import { limits } from '../../limits.ts'
import type { Cache, Caches } from '../../model/caches.ts'
import type { Prediction } from './predict.ts'

/** Whose prediction it is: what somebody may see, and so what is found, differs. */
export interface PredictionKey {
  readonly tenantId: number
  readonly principalId?: string | undefined
  readonly sessionId: string
}

const messageBytes = 220
const termBytes = 250

/**
 * What sessions will need, kept in the process as places and reasons without any content. One is good as long as its session has
 * no newer message; what other sessions say meanwhile counts some minutes later.
 */
export class RecentPredictions {
  readonly #kept: Cache<Prediction>

  constructor(caches: Caches) {
    this.#kept = caches.open('predictions', { sizeOf: sizeOfPrediction, keptMs: limits.predictionKeptMs })
  }

  keep(key: PredictionKey, prediction: Prediction): void {
    this.#kept.set(textOf(key), prediction)
  }

  /** The one that knows the session up to `lastSeq`. */
  find(key: PredictionKey, lastSeq: number): Prediction | undefined {
    const kept = this.#kept.peek(textOf(key))
    const isGood = kept?.lastSeq === lastSeq
    this.#kept.count(isGood)
    return isGood ? kept : undefined
  }

  /** Whether somebody has asked for it lately: for them the next is made ahead. */
  isWanted(key: PredictionKey): boolean {
    return this.#kept.peek(textOf(key)) !== undefined
  }
}

function textOf({ tenantId, principalId, sessionId }: PredictionKey): string {
  return `${tenantId} ${principalId ?? ''} ${sessionId}`
}

function sizeOfPrediction({ messages, queries }: Prediction): number {
  const parsed = queries.reduce((sum, query) => sum + 2 * query.text.length + query.terms.length * termBytes, 0)
  return messages.length * messageBytes + parsed
}
