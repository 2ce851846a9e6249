import { BoundedMap } from '../model/bounded-map.ts'

/** Requests a second in the long run, and how many at once after a pause. */
export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

/** A tenant that is forgotten has its burst again, so this bounds memory and not what is let through in practice. */
const rememberedMax = 100_000

/**
 * How many requests each tenant may send. Each has a bucket that holds a burst and fills at the rate; of a bucket only the time
 * is kept at which it will be full. Times are in milliseconds of one clock that never goes back.
 */
export class TenantRates {
  readonly #rate: Rate
  readonly #fullAtMs = new BoundedMap<number, number>(rememberedMax)

  constructor(rate: Rate) {
    this.#rate = rate
  }

  /** Counts a request. Returns 0, or the seconds after which it would be within the rate: then it is not counted. */
  take(tenantId: number, nowMs: number): number {
    return this.#take(tenantId, { count: 1, needed: 1, nowMs })
  }

  /**
   * Counts what else came with a request that was counted. More than a burst is let through when nothing else was asked for, on
   * account of what comes next: else it could never be.
   */
  takeMore(tenantId: number, count: number, nowMs: number): number {
    return this.#take(tenantId, { count, needed: Math.min(count, this.#rate.burst - 1), nowMs })
  }

  #take(tenantId: number, what: { readonly count: number; readonly needed: number; readonly nowMs: number }): number {
    const { perSecond, burst } = this.#rate
    const fullAtMs = Math.max(this.#fullAtMs.get(tenantId) ?? 0, what.nowMs)
    const there = burst - ((fullAtMs - what.nowMs) / 1_000) * perSecond
    // A bucket is never filled to the last digit.
    if (there + roundingError < what.needed) return (what.needed - there) / perSecond
    this.#fullAtMs.set(tenantId, fullAtMs + (what.count / perSecond) * 1_000)
    return 0
  }
}

const roundingError = 1e-6
