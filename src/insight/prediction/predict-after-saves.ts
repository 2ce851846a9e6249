import { limits } from '../../limits.ts'
import type { Log } from '../../log.ts'
import type { Caller } from '../../model/access.ts'

/** A session that rests until what it will need is looked for, and who waits for that. */
interface Resting {
  timer: NodeJS.Timeout
  /** When it began to rest. */
  readonly sinceMs: number
  readonly made: Promise<void>
  readonly finish: () => void
}

/** Saves that come without a pause are not waited for longer than so many rests. */
const restsMax = 10

/** Makes what sessions will need after they were saved to, so that who asks need not wait. One at a time, after a moment's rest. */
export class PredictAfterSaves {
  readonly #predict: (caller: Caller, sessionId: string) => Promise<void>
  readonly #log: Log | undefined
  readonly #resting = new Map<string, Resting>()
  /** Those that wait for their turn. */
  readonly #waiting = new Map<string, Promise<void>>()
  #working: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(predict: (caller: Caller, sessionId: string) => Promise<void>, log: Log | undefined) {
    this.#predict = predict
    this.#log = log
  }

  /**
   * Says that a session has new messages and that what it will need is wanted. Cheap; call it as often as you like. Resolves when
   * that was looked for, and never rejects.
   */
  saved(caller: Caller, sessionId: string): Promise<void> {
    if (this.#isClosed) return Promise.resolve()
    const { tenantId, principalId } = caller
    const key = `${tenantId} ${principalId ?? ''} ${sessionId}`
    const before = this.#resting.get(key)
    const nowMs = performance.now()
    const restMs = limits.predictionRestMs
    const leftMs = before === undefined ? restMs : before.sinceMs + restsMax * restMs - nowMs
    // Nobody waits for it: a process that has nothing else to do may end.
    const timer = setTimeout(() => this.#begin(key, { caller, sessionId }), Math.min(restMs, leftMs)).unref()
    if (before !== undefined) {
      clearTimeout(before.timer)
      before.timer = timer
      return before.made
    }
    let finish: () => void = () => undefined
    const made = new Promise<void>((resolve) => {
      finish = resolve
    })
    this.#resting.set(key, { timer, sinceMs: nowMs, made, finish })
    return made
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const { timer, finish } of this.#resting.values()) {
      clearTimeout(timer)
      finish()
    }
    this.#resting.clear()
    await this.#working
  }

  #begin(key: string, { caller, sessionId }: { readonly caller: Caller; readonly sessionId: string }): void {
    const finish = this.#resting.get(key)?.finish
    this.#resting.delete(key)
    // One that waits for its turn will see what was saved meanwhile.
    let made = this.#waiting.get(key)
    if (made === undefined) {
      made = this.#working.then(() => {
        this.#waiting.delete(key)
        return this.#make(caller, sessionId)
      })
      this.#waiting.set(key, made)
      this.#working = made
    }
    if (finish !== undefined) void made.then(finish)
  }

  async #make(caller: Caller, sessionId: string): Promise<void> {
    if (this.#isClosed) return
    try {
      // It is no call of the caller's: nothing is shown to anybody.
      await this.#predict({ ...caller, call: undefined }, sessionId)
    } catch (error) {
      // Who asks for it meets the same trouble and is told.
      this.#log?.error('what a session will need was not looked for', error)
    }
  }
}
