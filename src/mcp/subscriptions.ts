import { describeForLog } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Caller } from '../model/access.ts'
import type { Verbatim } from '../verbatim.ts'
import { contextOptions } from './context-options.ts'
import { parseResourceUri } from './resource-uri.ts'

/** How often subscribed resources are looked at. The embedded store gives no notices. */
const pollMs = 400
/** Where it does, for a notice that was lost. */
const pollBesideNoticesMs = 5_000
/** Notices of a batch of saves come one after the other. */
const noticedMs = 20
/** Subscriptions of one client at most. */
const subscriptionsMax = 1_000

interface Watched {
  /** The canonical session id, or undefined for a resource that changes with any session. */
  sessionId: string | undefined
  version: string
  /** It is what the session will need, which is made anew before anybody is told. */
  readonly isContext: boolean
  /** Whether it is watched, once that is known. */
  begun: Promise<boolean>
}

/**
 * Watches the resources that a client subscribed to and says when one has changed, whoever changed it. Looks only while
 * there are subscriptions, so that an idle client keeps no store awake.
 */
export class Subscriptions {
  readonly #open: () => Promise<Verbatim>
  readonly #caller: () => Caller
  readonly #log: Log
  readonly #changed: (uri: string) => void
  readonly #watched = new Map<string, Watched>()
  /** What is being made before it is told of, and whether it has changed meanwhile. */
  readonly #making = new Map<string, { hasChanged: boolean }>()
  #timer: NodeJS.Timeout | undefined
  #stopListening: (() => void) | undefined
  #isLooking = false
  #isClosed = false
  #looksAgain = false

  constructor(options: {
    readonly open: () => Promise<Verbatim>
    readonly caller: () => Caller
    readonly log: Log
    readonly changed: (uri: string) => void
  }) {
    this.#open = options.open
    this.#caller = options.caller
    this.#log = options.log
    this.#changed = options.changed
  }

  /** Starts watching a resource, in a call of its own. False for a URI that names nothing that could change, or beyond the bound. */
  async subscribe(uri: string, caller: Caller): Promise<boolean> {
    const known = this.#watched.get(uri)
    // What has changed since it was first asked for is still to be told of.
    if (known !== undefined) {
      const isBegun = await known.begun
      if (known.sessionId !== undefined) caller.call?.about(known.sessionId)
      return isBegun
    }
    const target = parseResourceUri(uri)
    if (target === undefined || this.#watched.size >= subscriptionsMax) return false
    // Its place is taken before anything is waited for: many may ask at once.
    const isContext = target.kind === 'session' && target.view === 'context'
    const place: Watched = { sessionId: undefined, version: '', isContext, begun: Promise.resolve(true) }
    this.#watched.set(uri, place)
    place.begun = this.#begin(uri, place, { caller, reference: 'id' in target ? target.id : undefined })
    return await place.begun
  }

  async #begin(
    uri: string,
    place: Watched,
    { caller, reference }: { readonly caller: Caller; readonly reference: string | undefined },
  ): Promise<boolean> {
    try {
      const verbatim = await this.#open()
      place.sessionId = reference === undefined ? undefined : await verbatim.sessionId(caller, reference)
      place.version = await this.#version(verbatim, place.sessionId)
      if (this.#isClosed) return false
      this.#watch(verbatim)
      return true
    } catch (error) {
      if (this.#watched.get(uri) === place) this.#watched.delete(uri)
      throw error
    }
  }

  #watch(verbatim: Verbatim): void {
    this.#stopListening ??= verbatim.onChange(this.#caller(), () => this.#lookAfter(noticedMs))
    this.#timer ??= setTimeout(() => void this.#look(), this.#pollMs).unref()
  }

  unsubscribe(uri: string): void {
    this.#watched.delete(uri)
  }

  close(): void {
    this.#isClosed = true
    this.#watched.clear()
    this.#stopListening?.()
    clearTimeout(this.#timer)
  }

  get #pollMs(): number {
    return this.#stopListening === undefined ? pollMs : pollBesideNoticesMs
  }

  /** Brings the next look forward. Where one is under way, what it has passed over is seen by the next. */
  #lookAfter(delayMs: number): void {
    if (this.#watched.size === 0) return
    if (this.#isLooking) {
      this.#looksAgain = true
      return
    }
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#look(), delayMs).unref()
  }

  // A method, because the field changes while a look is awaited.
  #wasNoticed(): boolean {
    return this.#looksAgain
  }

  async #version(verbatim: Verbatim, sessionId: string | undefined): Promise<string> {
    if (sessionId === undefined) return verbatim.storeVersion(this.#caller())
    return String((await verbatim.sessionVersions(this.#caller(), [sessionId])).get(sessionId) ?? 'gone')
  }

  /** Who is told reads at once: what it reads is there by then. Several changes within a moment are told of once. */
  async #tellWhenMade(verbatim: Verbatim, { uri, sessionId }: { readonly uri: string; readonly sessionId: string }) {
    const before = this.#making.get(uri)
    if (before !== undefined) {
      before.hasChanged = true
      return
    }
    const making = { hasChanged: true }
    this.#making.set(uri, making)
    while (making.hasChanged && this.#watched.has(uri)) {
      making.hasChanged = false
      await verbatim.contextMade(this.#caller(), sessionId, contextOptions)
      if (this.#watched.has(uri)) this.#changed(uri)
    }
    this.#making.delete(uri)
  }

  async #look(): Promise<void> {
    this.#isLooking = true
    this.#looksAgain = false
    try {
      const verbatim = await this.#open()
      const ids = [...new Set([...this.#watched.values()].flatMap(({ sessionId }) => sessionId ?? []))]
      const versions =
        ids.length === 0 ? new Map<string, number>() : await verbatim.sessionVersions(this.#caller(), ids)
      for (const [uri, watched] of this.#watched) {
        const version =
          watched.sessionId === undefined
            ? await verbatim.storeVersion(this.#caller(), watched.version)
            : String(versions.get(watched.sessionId) ?? 'gone')
        if (version === watched.version) continue
        watched.version = version
        if (watched.isContext && watched.sessionId !== undefined && version !== 'gone')
          void this.#tellWhenMade(verbatim, { uri, sessionId: watched.sessionId })
        else this.#changed(uri)
      }
    } catch (error) {
      // The next look may succeed: a subscription outlives a store that is away for a moment.
      this.#log.warn(`subscriptions could not be checked: ${describeForLog(error)}`)
    }
    this.#isLooking = false
    const delayMs = this.#wasNoticed() ? noticedMs : this.#pollMs
    this.#timer = this.#watched.size === 0 ? undefined : setTimeout(() => void this.#look(), delayMs).unref()
  }
}
