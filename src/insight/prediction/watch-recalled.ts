import { limits } from '../../limits.ts'
import type { Log } from '../../log.ts'
import type { Caller } from '../../model/access.ts'
import type { Change } from '../../store/database.ts'

export interface WatchRecalledOptions {
  /** The versions of sessions that a caller may see, by their ids. */
  readonly versions: (caller: Caller, ids: readonly string[]) => Promise<ReadonlyMap<string, number>>
  /** Calls back when a session has changed, in whichever process; absent or undefined where the store gives no notices. */
  readonly onChange?: ((listener: (change: Change) => void) => (() => void) | undefined) | undefined
  /** Told of a session that has changed since it was recalled for, or since it was last told of. */
  readonly changed: (caller: Caller, sessionId: string) => void
  readonly log: Log | undefined
  /** How often sessions are looked at where the store gives no notices. */
  readonly pollMs?: number
}

interface Recalled {
  readonly id: string
  readonly version: number
}

interface Watched extends Recalled {
  readonly caller: Caller
  readonly untilMs: number
}

const pollMsUsual = 1_000
/** Where it gives some, for one that was lost. */
const pollBesideNoticesMs = 30_000
/** Notices of a batch of saves come one after the other. */
const noticedMs = 20
/** Those that were recalled for longest ago are forgotten first. */
const watchedMax = 1_000

/**
 * Sees when sessions that were recalled for lately change, whoever changes them. It looks for as long after the last recall as
 * predictions are kept, and no longer, so that an idle process keeps no store awake.
 */
export class WatchRecalled {
  readonly #options: WatchRecalledOptions
  /** In the order in which they were recalled for. */
  readonly #watched = new Map<string, Watched>()
  readonly #noticed = new Set<string>()
  #stopListening: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined
  #isLooking = false
  #isClosed = false

  constructor(options: WatchRecalledOptions) {
    this.#options = options
  }

  /** Notes that a session was recalled for, as it was then. Cheap. */
  add(caller: Caller, { id, version }: Recalled): void {
    if (this.#isClosed) return
    const key = `${caller.tenantId} ${caller.principalId ?? ''} ${id}`
    const untilMs = performance.now() + limits.predictionKeptMs
    this.#watched.delete(key)
    this.#watched.set(key, { caller: { ...caller, call: undefined }, id, version, untilMs })
    const [oldest] = this.#watched.keys()
    if (this.#watched.size > watchedMax && oldest !== undefined) this.#watched.delete(oldest)
    this.#stopListening ??= this.#options.onChange?.((change) => this.#notice(change))
    this.#plan()
  }

  close(): void {
    this.#isClosed = true
    this.#watched.clear()
    this.#stopListening?.()
    clearTimeout(this.#timer)
  }

  #notice({ tenantId, sessionId }: Change): void {
    const isIt = ({ caller, id }: Watched) => id === sessionId && caller.tenantId === tenantId
    if (![...this.#watched.values()].some(isIt)) return
    const isPlanned = this.#noticed.size > 0
    this.#noticed.add(`${tenantId} ${sessionId}`)
    // A look that was put off with every notice would not come while a session is saved in without a pause.
    if (isPlanned || this.#isLooking) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#look(), noticedMs).unref()
  }

  /** Looks again some time, unless it will anyway or there is nothing to look at. */
  #plan(): void {
    if (this.#timer !== undefined || this.#isLooking || this.#isClosed) return
    if (this.#watched.size === 0) {
      this.#stopListening?.()
      this.#stopListening = undefined
      return
    }
    const { pollMs = pollMsUsual } = this.#options
    const afterMs =
      this.#noticed.size > 0 ? noticedMs : this.#stopListening === undefined ? pollMs : pollBesideNoticesMs
    this.#timer = setTimeout(() => void this.#look(), afterMs).unref()
  }

  async #look(): Promise<void> {
    this.#isLooking = true
    this.#timer = undefined
    const noticed = new Set(this.#noticed)
    this.#noticed.clear()
    try {
      for (const [key, { untilMs }] of this.#watched) if (untilMs < performance.now()) this.#watched.delete(key)
      const isNoticed = ({ caller, id }: Watched) => noticed.size === 0 || noticed.has(`${caller.tenantId} ${id}`)
      const byCaller = new Map<string, [string, Watched][]>()
      for (const [key, watched] of this.#watched) {
        if (!isNoticed(watched)) continue
        const { tenantId, principalId } = watched.caller
        const whose = `${tenantId} ${principalId ?? ''}`
        byCaller.set(whose, [...(byCaller.get(whose) ?? []), [key, watched]])
      }
      for (const watched of byCaller.values()) await this.#compare(watched)
    } catch (error) {
      // The next look may succeed; who asks meanwhile is answered as things are.
      this.#options.log?.error('it was not seen whether sessions that were recalled for have changed', error)
    }
    this.#isLooking = false
    this.#plan()
  }

  async #compare(all: readonly (readonly [key: string, watched: Watched])[]): Promise<void> {
    const [first] = all
    if (first === undefined) return
    const ids = all.map(([, { id }]) => id)
    const versions = await this.#options.versions(first[1].caller, ids)
    for (const [key, watched] of all) {
      // Recalled for, or forgotten, while this was looked up.
      if (this.#watched.get(key) !== watched) continue
      const version = versions.get(watched.id)
      if (version === undefined) this.#watched.delete(key)
      if (version === undefined || version === watched.version) continue
      this.#watched.set(key, { ...watched, version })
      this.#options.changed(watched.caller, watched.id)
    }
  }
}
