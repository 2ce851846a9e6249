import { EngineError, engineErrorFrom } from './engine-error.ts'
import { EngineWorker, type EngineWorkerOptions } from './engine-worker.ts'
import { timeout } from './timeout.ts'

export interface EngineOptions extends EngineWorkerOptions {
  /** A request that is not answered in this time ends the thread; default 30 s. */
  readonly answerMs?: number
  /** Called before a start is tried again after it failed for want of space: the place to release a reserve. */
  readonly onFull?: () => void
  readonly onLost?: (error: EngineError) => void
  /** Called when a restarted engine is there again, before it serves anybody. */
  readonly onRestarted?: () => void
}

const defaultAnswerMs = 30_000
const restartPauseMs = 500

/**
 * The daemon's side of the engine. It takes one request at a time and starts the thread again when it is lost; it keeps
 * trying until `close`, so that a store whose disk was full comes back by itself. Ending the thread at any moment is
 * safe: it is what kill -9 does, and PostgreSQL recovers from its WAL.
 */
export class Engine {
  readonly #options: EngineOptions
  #thread: EngineWorker | undefined
  #starting: Promise<void> | undefined
  #lastError: EngineError | undefined
  #greeting: Uint8Array = new Uint8Array(0)
  #closed = false

  constructor(options: EngineOptions) {
    this.#options = options
  }

  /** The answer to a startup message: AuthenticationOk, parameters, BackendKeyData, ReadyForQuery. */
  get greeting(): Uint8Array {
    return this.#greeting
  }

  /** Why the engine is not there; `undefined` while it is. */
  get lastError(): EngineError | undefined {
    return this.#thread === undefined ? this.#lastError : undefined
  }

  /** Opens the store. Fails with the reason; a full disk is tried once more after `onFull`. */
  async open(): Promise<void> {
    try {
      await this.#openThread()
    } catch (error) {
      if (!(error instanceof EngineError) || error.code !== '53100') throw error
      this.#options.onFull?.()
      await this.#openThread()
    }
  }

  /** Waits for an engine that is being restarted. Answers false when it is not there in time. */
  async ready(withinMs: number): Promise<boolean> {
    if (this.#thread !== undefined) return true
    const { promise, resolve } = timeout(withinMs)
    await Promise.race([this.#starting ?? promise, promise])
    resolve()
    return this.#threadNow() !== undefined
  }

  /** Sends frames up to a Sync, Query or Flush; `bytes` is handed over and unusable afterwards. Fails with EngineError. */
  async run(bytes: Uint8Array<ArrayBuffer>, options: { readonly answerMs?: number } = {}): Promise<Uint8Array> {
    if (this.#thread === undefined) throw this.#lastError ?? closing()
    return await this.#thread.run(bytes, options.answerMs ?? this.#options.answerMs ?? defaultAnswerMs)
  }

  /** Closes the store cleanly; the thread is ended where that takes too long. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#starting
    const thread = this.#threadNow()
    this.#thread = undefined
    await thread?.close()
  }

  #threadNow(): EngineWorker | undefined {
    return this.#thread
  }

  async #openThread(): Promise<void> {
    const thread = new EngineWorker(this.#options, (error) => {
      this.#lost(error)
    })
    this.#greeting = await thread.opened
    this.#thread = thread
  }

  #lost(error: EngineError): void {
    this.#lastError = error
    if (this.#thread === undefined) return
    this.#thread = undefined
    this.#options.onLost?.(error)
    if (!this.#closed) this.#starting ??= this.#restart(error)
  }

  async #restart(lost: EngineError): Promise<void> {
    let error = lost
    while (!this.#closed) {
      if (error.code === '53100') this.#options.onFull?.()
      try {
        await this.#openThread()
        this.#options.onRestarted?.()
        break
      } catch (cause) {
        error = cause instanceof EngineError ? cause : engineErrorFrom(String(cause))
        await timeout(restartPauseMs).promise
      }
    }
    this.#starting = undefined
  }
}

function closing(): EngineError {
  return new EngineError('57P01', 'Cannot use the store as it is closing', 'Try again: a new daemon is started')
}
