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
const nameBytes = 40

interface Kept {
  readonly prediction: Prediction
  /** Of the session that it was made for. */
  readonly version: number
}

/**
 * What sessions will need, kept in the process: places and reasons, and the words that were looked for. One is good as long as its
 * session is as it was; what other sessions say meanwhile counts some minutes later.
 */
export class RecentPredictions {
  readonly #kept: Cache<Kept>
  readonly #asked: Cache<true>

  constructor(caches: Caches) {
    const keptMs = limits.predictionKeptMs
    this.#kept = caches.open('predictions', { sizeOf: sizeOfKept, keptMs })
    this.#asked = caches.open('predictions', { sizeOf: () => 0, keptMs })
  }

  keep(key: PredictionKey, version: number, prediction: Prediction): void {
    this.#kept.set(textOf(key), { prediction, version })
  }

  find(key: PredictionKey, version: number): Prediction | undefined {
    const kept = this.#kept.peek(textOf(key))
    const isGood = kept?.version === version
    this.#kept.count(isGood)
    return isGood ? kept.prediction : undefined
  }

  /** Notes that somebody has asked for it: for them the next is made ahead. */
  ask(key: PredictionKey): void {
    this.#asked.set(textOf(key), true)
  }

  isWanted(key: PredictionKey): boolean {
    return this.#asked.peek(textOf(key)) !== undefined
  }
}

function textOf({ tenantId, principalId, sessionId }: PredictionKey): string {
  return `${tenantId} ${principalId ?? ''} ${sessionId}`
}

function sizeOfKept({ prediction: { messages, queries, named } }: Kept): number {
  const parsed = queries.reduce((sum, query) => sum + 2 * query.text.length + query.terms.length * termBytes, 0)
  const names = named.reduce((sum, name) => sum + 2 * name.length + nameBytes, 0)
  return messages.length * messageBytes + parsed + names
}
