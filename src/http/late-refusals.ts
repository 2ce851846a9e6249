import { setTimeout as sleep } from 'node:timers/promises'

import { BoundedMap } from '../model/bounded-map.ts'

export interface LateRefusalOptions {
  /** Refusals that a tenant gets at once, in a second. */
  readonly promptPerSecond: number
  /** How late the first late ones are, and how late at most. */
  readonly lateMs: number
  readonly lateMsMax: number
  /** Refused requests that wait for their answer in this process. */
  readonly heldMax: number
  /** Told once a minute of a tenant whose refusals come late. */
  readonly tell: (tenantId: number) => void
}

interface Window {
  readonly startedAtMs: number
  /** How many windows in a row before this one had more refusals than are prompt. */
  readonly row: number
  refusals: number
}

const windowMs = 1_000
/** A pause that ends a row. */
const pauseMs = 10_000
const tellMs = 60_000
/** A tenant that is forgotten gets its refusals at once again. */
const rememberedMax = 10_000

/**
 * Answers a tenant late that is refused again and again: a client that sends the next request when the last was answered, or
 * has so many open at once, sends that much less, and all others have the process for themselves. The longer it goes on, the
 * later, doubled with each second. Who heeds the first refusal never notices.
 */
export class LateRefusals {
  readonly #options: LateRefusalOptions
  readonly #windows = new BoundedMap<number, Window>(rememberedMax)
  readonly #toldAtMs = new BoundedMap<number, number>(rememberedMax)
  readonly #over = new AbortController()
  #held = 0

  constructor(options: LateRefusalOptions) {
    this.#options = options
  }

  /** Resolves when the refusal is to be answered; to false where its connection is to be closed with it. */
  async wait(tenantId: number, signal: AbortSignal): Promise<boolean> {
    const nowMs = performance.now()
    const { promptPerSecond, lateMs, lateMsMax } = this.#options
    const { refusals, row } = this.#countIn(tenantId, nowMs)
    if (refusals <= promptPerSecond) return true
    if (nowMs - (this.#toldAtMs.get(tenantId) ?? -tellMs) >= tellMs) {
      this.#toldAtMs.set(tenantId, nowMs)
      this.#options.tell(tenantId)
    }
    if (this.#held >= this.#options.heldMax) return false
    this.#held++
    try {
      await sleep(Math.min(lateMs * 2 ** row, lateMsMax), undefined, {
        signal: AbortSignal.any([signal, this.#over.signal]),
        ref: false,
      })
    } catch (error) {
      // Its client went away, or the process leaves.
      if (!(error instanceof Error && error.name === 'AbortError')) throw error
    } finally {
      this.#held--
    }
    return true
  }

  /** Answers all that wait, as the process leaves, and all that come. */
  end(): void {
    this.#over.abort()
  }

  #countIn(tenantId: number, nowMs: number): Window {
    const last = this.#windows.get(tenantId)
    const sinceMs = last === undefined ? Infinity : nowMs - last.startedAtMs
    const current = last !== undefined && sinceMs < windowMs ? last : this.#windowAfter(last, nowMs)
    if (current !== last) this.#windows.set(tenantId, current)
    current.refusals++
    return current
  }

  #windowAfter(last: Window | undefined, nowMs: number): Window {
    if (last === undefined || nowMs - last.startedAtMs > pauseMs) return { startedAtMs: nowMs, row: 0, refusals: 0 }
    const isOver = last.refusals > this.#options.promptPerSecond
    return { startedAtMs: nowMs, row: isOver ? last.row + 1 : last.row, refusals: 0 }
  }
}
