import { isNewer, versionIn } from '../client-version.ts'
import type { WireError } from '../wire.ts'

/** Work that goes on in the daemon beside serving: the index worker. */
export interface Background {
  /** Somebody may have saved something. Called at most every 20 ms, never inside a transaction of its own. */
  readonly wake: () => void
  /** Whether there is work left for which the daemon should stay although it has no client. */
  readonly busy?: () => boolean
  /** Resolves when no statement of it is under way; the store is closed next. */
  readonly stop: () => Promise<void>
}

export interface LifetimeOptions {
  readonly version: string
  /** The daemon leaves after so long without a client; default 10 min. */
  readonly idleMs?: number
  readonly signal: AbortSignal
}

const defaultIdleMs = 10 * 60_000
const wakeDelayMs = 20

export const leaving: WireError = {
  code: '57P01',
  message: 'Cannot answer as the daemon of the store is leaving',
  hint: 'Connect again: another daemon is started',
}

/** Decides when the daemon leaves, and wakes the background work. */
export class DaemonLifetime {
  readonly over: Promise<string>
  background: Background | undefined
  readonly #options: LifetimeOptions
  readonly #clients: () => number
  #end: (reason: string) => void = () => undefined
  #idleTimer: NodeJS.Timeout | undefined
  #wakeTimer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(options: LifetimeOptions, clients: () => number) {
    this.#options = options
    this.#clients = clients
    this.over = new Promise((resolve) => {
      this.#end = resolve
    })
    const { signal } = options
    if (signal.aborted) this.#end('stopped')
    signal.addEventListener('abort', () => this.#end('stopped'), { once: true })
  }

  greet(applicationName: string): WireError | undefined {
    const version = versionIn(applicationName)
    if (version !== undefined && isNewer(version, this.#options.version)) {
      this.#end(`version ${version} takes over`)
      return leaving
    }
    clearTimeout(this.#idleTimer)
    return undefined
  }

  leave(reason: string): void {
    this.#end(reason)
  }

  idle(): void {
    clearTimeout(this.#idleTimer)
    if (this.#stopped) return
    this.#idleTimer = setTimeout(() => {
      // Looks again also where there are clients: a connection of the daemon itself counts as one until it says its name.
      if (this.#clients() > 0 || this.background?.busy?.() === true) this.idle()
      else this.#end('idle')
    }, this.#options.idleMs ?? defaultIdleMs)
  }

  /** No timer of it goes on: background work that is told to stop must not be woken again. */
  stop(): void {
    this.#stopped = true
    clearTimeout(this.#idleTimer)
    clearTimeout(this.#wakeTimer)
  }

  wake(): void {
    if (this.background === undefined || this.#wakeTimer !== undefined || this.#stopped) return
    this.#wakeTimer = setTimeout(() => {
      this.#wakeTimer = undefined
      this.background?.wake()
    }, wakeDelayMs)
  }
}
