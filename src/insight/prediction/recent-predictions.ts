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

/** What is asked for in some form, and when that was asked for last. */
interface Asked {
  readonly options: RecallOptions
  readonly atMs: number
}

/**
 * What sessions will need, kept in the process: places and reasons, the words that were looked for, and the replies in the few forms that
 * were asked for last, as the tool and the resource ask in their own. A prediction is good as long as its session is as it was; what other sessions say meanwhile counts some minutes later.
 */
export class RecentPredictions {
  readonly #kept: Cache<Kept>
  readonly #ready: Cache<readonly ReadyReply[]>
  readonly #asked: Cache<readonly Asked[]>

  constructor(caches: Caches) {
    const keptMs = limits.predictionKeptMs
    this.#kept = caches.open('predictions', { sizeOf: sizeOfKept, keptMs })
    this.#ready = caches.open('recalls', { sizeOf: sizeOfAll, keptMs })
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

  /** Keeps the reply that a prediction made, beside the last that it made in other forms. */
  makeReady(key: PredictionKey, ready: ReadyReply): void {
    const others = this.#readyOf(key, ready.prediction).filter(({ form }) => form !== ready.form)
    this.#ready.set(textOf(key), [ready, ...others].slice(0, limits.recallFormsKept))
  }

  /** The reply that a prediction made in some form; whether what it holds on is as it was is for the caller to see, and to count. */
  readyFor(key: PredictionKey, of: Pick<ReadyReply, 'prediction' | 'form'>): ReadyReply | undefined {
    return this.#readyOf(key, of.prediction).find(({ form }) => form === of.form)
  }

  countReady(isHit: boolean): void {
    this.#ready.count(isHit)
  }

  /** Notes that somebody has asked for it in some form: for them the next is made ahead. */
  ask(key: PredictionKey, options: RecallOptions): void {
    const others = this.#askedOf(key).filter((asked) => !isSameForm(asked.options, options))
    const asked = [{ options, atMs: performance.now() }, ...others]
    this.#asked.set(textOf(key), asked.slice(0, limits.recallFormsKept))
  }

  /** In what forms somebody has asked for it lately, the last first. */
  wanted(key: PredictionKey): readonly RecallOptions[] {
    return this.#askedOf(key).map(({ options }) => options)
  }

  #readyOf(key: PredictionKey, prediction: Prediction): readonly ReadyReply[] {
    return (this.#ready.peek(textOf(key)) ?? []).filter((ready) => ready.prediction === prediction)
  }

  #askedOf(key: PredictionKey): readonly Asked[] {
    const sinceMs = performance.now() - limits.predictionKeptMs
    return (this.#asked.peek(textOf(key)) ?? []).filter(({ atMs }) => atMs > sinceMs)
  }
}

function isSameForm(left: RecallOptions, right: RecallOptions): boolean {
  return left.maxTokens === right.maxTokens && left.format === right.format
}

function textOf({ tenantId, principalId, sessionId }: PredictionKey): string {
  return `${tenantId} ${principalId ?? ''} ${sessionId}`
}

function sizeOfKept({ prediction: { messages, queries, named } }: Kept): number {
  const parsed = queries.reduce((sum, query) => sum + 2 * query.text.length + query.terms.length * termBytes, 0)
  const names = named.reduce((sum, name) => sum + 2 * name.length + nameBytes, 0)
  return messages.length * messageBytes + parsed + names
}

function sizeOfAll(all: readonly ReadyReply[]): number {
  return all.reduce((sum, ready) => sum + sizeOfReady(ready), 0)
}

function sizeOfReady({ reply, basis }: ReadyReply): number {
  return 2 * JSON.stringify(reply).length + basis.places.length * messageBytes
}
