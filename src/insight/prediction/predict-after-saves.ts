import { limits } from '../../limits.ts'
import type { Log } from '../../log.ts'
import type { Caller } from '../../model/access.ts'

/** Makes what sessions will need after they were saved to, so that who asks need not wait. One at a time, after a moment's rest. */
export class PredictAfterSaves {
  readonly #predict: (caller: Caller, sessionId: string) => Promise<void>
  readonly #log: Log | undefined
  readonly #resting = new Map<string, NodeJS.Timeout>()
  readonly #waiting = new Set<string>()
  #working: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(predict: (caller: Caller, sessionId: string) => Promise<void>, log: Log | undefined) {
    this.#predict = predict
    this.#log = log
  }

  /** Says that a session has new messages and that what it will need is wanted. Cheap; call it as often as you like. */
  saved(caller: Caller, sessionId: string): void {
    if (this.#isClosed) return
    const { tenantId, principalId } = caller
    const key = `${tenantId} ${principalId ?? ''} ${sessionId}`
    clearTimeout(this.#resting.get(key))
    const begin = () => {
      this.#resting.delete(key)
      // One that waits for its turn will see what was saved meanwhile.
      if (this.#waiting.has(key)) return
      this.#waiting.add(key)
      this.#working = this.#working.then(() => {
        this.#waiting.delete(key)
        return this.#make(caller, sessionId)
      })
    }
    // Nobody waits for it: a process that has nothing else to do may end.
    this.#resting.set(key, setTimeout(begin, limits.predictionRestMs).unref())
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const timer of this.#resting.values()) clearTimeout(timer)
    this.#resting.clear()
    await this.#working
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
