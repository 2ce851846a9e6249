import { limits } from '../../limits.ts'
import type { Cache, Caches } from '../../model/caches.ts'
import type { RecallOptions, RecallReply } from '../recall/recall-reply.ts'
import type { Basis } from './basis.ts'
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

/** A reply that was made, and what it holds on. */
export interface ReadyReply {
  readonly prediction: Prediction
  /** Which of the forms that it can be asked for in. */
  readonly form: string
  readonly basis: Basis
  readonly reply: RecallReply
}

interface Kept {
  readonly prediction: Prediction
  /** Of the session that it was made for. */
  readonly version: number
}

/**
 * What sessions will need, kept in the process: places and reasons, the words that were looked for, and the reply in the form that was
 * asked for last. A prediction is good as long as its session is as it was; what other sessions say meanwhile counts some minutes later.
 */
export class RecentPredictions {
  readonly #kept: Cache<Kept>
  readonly #ready: Cache<ReadyReply>
  readonly #asked: Cache<RecallOptions>

  constructor(caches: Caches) {
    const keptMs = limits.predictionKeptMs
    this.#kept = caches.open('predictions', { sizeOf: sizeOfKept, keptMs })
    this.#ready = caches.open('recalls', { sizeOf: sizeOfReady, keptMs })
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

  /** Whether there is one of a session as it is, without its counting as use. */
  has(key: PredictionKey, version: number): boolean {
    return this.#kept.peek(textOf(key))?.version === version
  }

  /** Keeps the reply that a prediction made. */
  makeReady(key: PredictionKey, ready: ReadyReply): void {
    this.#ready.set(textOf(key), ready)
  }

  /** The reply that a prediction made in some form; whether what it holds on is as it was is for the caller to see, and to count. */
  readyFor(key: PredictionKey, of: Pick<ReadyReply, 'prediction' | 'form'>): ReadyReply | undefined {
    const ready = this.#ready.peek(textOf(key))
    return ready?.prediction === of.prediction && ready.form === of.form ? ready : undefined
  }

  countReady(isHit: boolean): void {
    this.#ready.count(isHit)
  }

  /** Notes that somebody has asked for it: for them the next is made ahead. */
  ask(key: PredictionKey, options: RecallOptions): void {
    this.#asked.set(textOf(key), options)
  }

  /** In what form somebody has asked for it lately. */
  wanted(key: PredictionKey): RecallOptions | undefined {
    return this.#asked.peek(textOf(key))
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

function sizeOfReady({ reply, basis }: ReadyReply): number {
  return 2 * JSON.stringify(reply).length + basis.places.length * messageBytes
}
