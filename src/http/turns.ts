import { Place } from './place.ts'
import { Shares } from './shares.ts'

export interface TurnsOptions {
  /** Requests that are worked on at once. */
  readonly concurrency: number
  readonly waitingMax: number
  /** Of the bodies of those that wait. */
  readonly waitingBytesMax: number
  readonly waitMs: number
  /** Told of each change. */
  readonly changed: (state: { readonly working: number; readonly waiting: number }) => void
}

/** Why a request got no place: the list of those that wait is full, its turn did not come in time, its client went away, or all do. */
export type NoTurn = 'full' | 'late' | 'aborted' | 'leaving'

interface Asking {
  readonly tenantId: number
  readonly sizeBytes: number
  readonly signal: AbortSignal
}

interface Waiting extends Asking {
  readonly settle: (answer: Place | NoTurn) => void
}

/**
 * Whose request is worked on next. Where all places are taken, requests wait, and the tenants take turns: one that has sent a
 * thousand has the next place no sooner than one that has sent a single one. Places, and room to wait, are shared as `Shares`
 * has it.
 */
export class Turns {
  readonly #options: TurnsOptions
  readonly #places: Shares
  readonly #room: Shares
  readonly #roomBytes: Shares
  /** Those of a tenant in the order in which they came; the tenant whose turn is next is the first. */
  readonly #waiting = new Map<number, Waiting[]>()
  #workingCount = 0
  #waitingCount = 0

  constructor(options: TurnsOptions) {
    this.#options = options
    this.#places = new Shares(options.concurrency)
    this.#room = new Shares(options.waitingMax)
    this.#roomBytes = new Shares(options.waitingBytesMax)
  }

  /** A place, to be left when the request is answered. */
  async take(asking: Asking): Promise<Place | NoTurn> {
    const { tenantId, sizeBytes, signal } = asking
    if (signal.aborted) return 'aborted'
    // Who waits already is not overtaken by another of the same tenant; of other tenants none waits that could have a place.
    if (!this.#waiting.has(tenantId) && this.#places.take(tenantId, 1)) return this.#begin(tenantId)
    if (!this.#room.take(tenantId, 1)) return 'full'
    if (!this.#roomBytes.take(tenantId, sizeBytes)) {
      this.#room.giveBack(tenantId, 1)
      return 'full'
    }
    return await this.#wait(asking)
  }

  /** Turns away all who wait: nothing of theirs was begun. */
  turnAway(): void {
    const waiting = [...this.#waiting.values()].flat()
    this.#waiting.clear()
    for (const { settle } of waiting) settle('leaving')
  }

  async #wait(asking: Asking): Promise<Place | NoTurn> {
    const { tenantId, sizeBytes, signal } = asking
    this.#waitingCount++
    let abort = () => {}
    let timer: NodeJS.Timeout | undefined
    try {
      return await new Promise<Place | NoTurn>((settle) => {
        const waiting: Waiting = { ...asking, settle }
        this.#waiting.set(tenantId, [...(this.#waiting.get(tenantId) ?? []), waiting])
        const giveUp = (why: NoTurn) => {
          this.#remove(waiting)
          settle(why)
        }
        abort = () => giveUp('aborted')
        signal.addEventListener('abort', abort)
        timer = setTimeout(() => giveUp('late'), this.#options.waitMs)
        this.#tell()
      })
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      this.#waitingCount--
      this.#room.giveBack(tenantId, 1)
      this.#roomBytes.giveBack(tenantId, sizeBytes)
      this.#tell()
    }
  }

  #remove(gone: Waiting): void {
    const left = this.#waiting.get(gone.tenantId)?.filter((waiting) => waiting !== gone) ?? []
    if (left.length > 0) this.#waiting.set(gone.tenantId, left)
    else this.#waiting.delete(gone.tenantId)
  }

  #begin(tenantId: number): Place {
    this.#workingCount++
    this.#tell()
    return new Place(() => {
      this.#workingCount--
      this.#places.giveBack(tenantId, 1)
      this.#letIn()
      this.#tell()
    })
  }

  /** Gives what is free to those whose turn it is. */
  #letIn(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const { tenantId, settle } = next
      this.#remove(next)
      const others = this.#waiting.get(tenantId)
      if (others !== undefined) {
        // Behind all others.
        this.#waiting.delete(tenantId)
        this.#waiting.set(tenantId, others)
      }
      settle(this.#begin(tenantId))
    }
  }

  /** The first of the tenant whose turn it is and that may have a place; it has taken it then. */
  #next(): Waiting | undefined {
    for (const [tenantId, [first]] of this.#waiting)
      if (first !== undefined && this.#places.take(tenantId, 1)) return first
    return undefined
  }

  #tell(): void {
    this.#options.changed({ working: this.#workingCount, waiting: this.#waitingCount })
  }
}
