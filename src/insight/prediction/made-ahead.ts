import { requireUsableSession } from '../../capture/session-reference.ts'
import { limits } from '../../limits.ts'
import type { Log } from '../../log.ts'
import type { Caller } from '../../model/access.ts'
import { sessionVersions } from '../../store/sessions.ts'
import type { RecallDependencies } from '../recall/recall-context.ts'
import type { RecallOptions } from '../recall/recall-reply.ts'
import { PredictAfterSaves } from './predict-after-saves.ts'
import type { RecentPredictions } from './recent-predictions.ts'
import { WatchRecalled, type WatchRecalledOptions } from './watch-recalled.ts'

export interface MadeAheadOptions {
  /** What a caller may see of the stores. */
  readonly storesFor: (caller: Caller) => RecallDependencies
  readonly predictions: RecentPredictions
  /** Calls back when a session has changed; undefined where the store gives no notices. */
  readonly onChange: WatchRecalledOptions['onChange']
  readonly log: Log | undefined
}

/**
 * What sessions will need, made before somebody asks: after a save of this process, and when a session that was recalled for
 * lately, or whose resource somebody has subscribed to, was changed by another one.
 */
export class MadeAhead {
  readonly #options: MadeAheadOptions
  readonly #after: PredictAfterSaves
  readonly #watch: WatchRecalled

  constructor(options: MadeAheadOptions) {
    const { onChange, log } = options
    this.#options = options
    this.#after = new PredictAfterSaves((caller, sessionId) => this.#predict(caller, sessionId), log)
    this.#watch = new WatchRecalled({
      versions: (caller, ids) => options.storesFor(caller).database.run((sql) => sessionVersions(sql, caller, ids)),
      onChange,
      changed: (caller, sessionId) => void this.#after.saved(caller, sessionId),
      log,
    })
  }

  /** Says that somebody has recalled for a session, as it was then. */
  recalled(caller: Caller, session: { readonly id: string; readonly version: number }): void {
    this.#watch.add(caller, session)
  }

  /** Says that a session was saved to. */
  saved(caller: Caller, sessionId: string): void {
    if (this.#options.predictions.wanted({ ...caller, sessionId }).length > 0) void this.#after.saved(caller, sessionId)
  }

  /**
   * Resolves when what a session will need, as it is now, was looked for: in the forms in which it was asked for lately, else in the
   * one given. Never rejects: where it was not found, who asks is told why.
   */
  made(caller: Caller, sessionId: string, options: RecallOptions): Promise<void> {
    const { predictions } = this.#options
    const key = { ...caller, sessionId }
    if (predictions.wanted(key).length === 0) predictions.ask(key, options)
    return this.#after.saved(caller, sessionId)
  }

  async close(): Promise<void> {
    this.#watch.close()
    await this.#after.close()
  }

  async #predict(caller: Caller, sessionId: string): Promise<void> {
    const { storesFor, predictions } = this.#options
    const wanted = predictions.wanted({ ...caller, sessionId })
    if (wanted.length === 0) return
    const stores = storesFor(caller)
    const session = await requireUsableSession(stores.database, caller, sessionId)
    // Of a save of this process its own call tells, and who looks for those of others.
    if (predictions.has({ ...caller, sessionId }, session.version)) return
    const { recallAhead } = await import('../recall/recall-context.ts')
    // What was asked for last is dropped last.
    const meaningMs = limits.searchMeaningMs
    for (const options of wanted.toReversed()) await recallAhead(stores, caller, { session, meaningMs, ...options })
  }
}
