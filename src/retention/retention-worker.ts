import type { RunDependencies } from '../erasure/run-erasure.ts'
import { Drain } from '../indexing/drain.ts'
import { limits } from '../limits.ts'
import type { Log } from '../log.ts'
import type { Caller } from '../model/access.ts'
import { tenantIds } from '../store/access/tenants.ts'
import { claimSweep, readSweep } from '../store/erasure/retention.ts'
import { forgetOld } from '../store/learning/recall-feedback.ts'
import { clockProblem } from './decide.ts'
import { applyRetention, planRetention } from './sweep.ts'

export interface RetentionWorkerOptions extends RunDependencies {
  readonly log: Log
  /** Told where a sweep has left work to whoever erases. */
  readonly onErasure: () => void
  /** Default: an hour. */
  readonly sweepMs?: number
}

const hourMs = 3_600_000
/** Nobody waits for a sweep: it begins when a start has settled. */
const firstMs = 5_000

/**
 * Erases, in the background, what the retention policies say has expired, once an hour. It does not run by a clock that has
 * jumped: then it says so, and `verbatim retention apply` goes on when somebody has looked at it.
 */
export class RetentionWorker {
  readonly #options: RetentionWorkerOptions
  readonly #drain: Drain

  constructor(options: RetentionWorkerOptions) {
    this.#options = options
    this.#drain = new Drain({ name: 'retention', round: () => this.#round(), log: options.log })
  }

  start(): void {
    this.#drain.wakeLater(Math.min(firstMs, this.#sweepMs))
  }

  async stop(): Promise<void> {
    await this.#drain.stop()
  }

  get #sweepMs(): number {
    return this.#options.sweepMs ?? hourMs
  }

  async #round(): Promise<boolean> {
    const { database } = this.#options
    this.#drain.wakeLater(this.#sweepMs)
    for (const tenantId of await database.run(tenantIds)) {
      // Whatever a tenant's policies are, and whether anything is learned from it now.
      await database.run((sql) => forgetOld(sql, tenantId, limits.rankingFeedbackDays))
      await this.#sweep(tenantId)
    }
    return false
  }

  async #sweep(tenantId: number): Promise<void> {
    const { database, log, onErasure } = this.#options
    const state = await database.run((sql) => readSweep(sql, tenantId))
    if (state === undefined) return
    const { sweptAtMs, nowMs } = state
    const problem = clockProblem(sweptAtMs, nowMs)
    if (problem !== undefined) {
      log.warn(`retention does not run as ${problem}`)
      return
    }
    // Another process of the server was here within the hour.
    if (Math.abs(nowMs - sweptAtMs) < this.#sweepMs / 2) return
    if (!(await database.run((sql) => claimSweep(sql, tenantId, sweptAtMs)))) return
    const plan = await planRetention(database, tenantId, nowMs)
    // Whoever erases in the background does it: here it is only begun.
    const receipt = await applyRetention({ ...this.#options, waitMs: 0 }, retentionCaller(tenantId), plan)
    if (receipt !== undefined) onErasure()
  }
}

function retentionCaller(tenantId: number): Caller {
  return { tenantId, principal: 'retention', client: 'background' }
}
