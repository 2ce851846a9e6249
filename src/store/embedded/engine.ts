import { Worker } from 'node:worker_threads'

import { compiledFile } from './compiled.ts'
import { EngineError, engineErrorFrom } from './engine-error.ts'
import type { EngineReply, EngineRequest, EngineThreadOptions } from './engine-messages.ts'

export interface EngineOptions extends EngineThreadOptions {
  /** A request that is not answered in this time ends the thread; default 30 s. */
  readonly answerMs?: number
  /** The same once PostgreSQL has reported a full disk or an input or output error; default 2 s. */
  readonly answerTroubledMs?: number
  /** Recovery after a kill replays the WAL since the last checkpoint, at most a few seconds; default 120 s. */
  readonly openMs?: number
  /** Called before a start is tried again after it failed for want of space: the place to release a reserve. */
  readonly onFull?: () => void
  readonly onLost?: (error: EngineError) => void
  /** Called when a restarted engine is there again, before it serves anybody. */
  readonly onRestarted?: () => void
}

const defaults = { answerMs: 30_000, answerTroubledMs: 2_000, openMs: 120_000 } as const
const restartPauseMs = 500
const closeMs = 20_000

/**
 * The daemon's side of the engine. It takes one request at a time and starts the thread again when it is lost; it keeps
 * trying until `close`, so that a store whose disk was full comes back by itself. Ending the thread at any moment is
 * safe: it is what kill -9 does, and PostgreSQL recovers from its WAL.
 */
export class Engine {
  readonly #options: EngineOptions
  #thread: EngineThread | undefined
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
    return await this.#thread.run(bytes, options.answerMs ?? this.#options.answerMs ?? defaults.answerMs)
  }

  /** Closes the store cleanly; the thread is ended where that takes too long. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#starting
    const thread = this.#threadNow()
    this.#thread = undefined
    await thread?.close()
  }

  #threadNow(): EngineThread | undefined {
    return this.#thread
  }

  async #openThread(): Promise<void> {
    const thread = new EngineThread(this.#options, (error) => {
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

interface Waiting {
  readonly resolve: (bytes: Uint8Array) => void
  readonly reject: (error: EngineError) => void
}

/** One life of the worker thread, from its start to its loss. */
class EngineThread {
  readonly opened: Promise<Uint8Array>
  readonly #worker: Worker
  readonly #options: EngineOptions
  readonly #onLost: (error: EngineError) => void
  #waiting: Waiting | undefined
  #watchdog: NodeJS.Timeout | undefined
  #troubled = false
  #error: EngineError | undefined
  #closing: (() => void) | undefined

  constructor(options: EngineOptions, onLost: (error: EngineError) => void) {
    this.#options = options
    this.#onLost = onLost
    const { dataDir, image } = options
    // Its output is captured and dropped: an uncaught error of PGlite prints its whole source.
    this.#worker = new Worker(compiledFile('engine-thread.js'), {
      workerData: { dataDir, image },
      stdout: true,
      stderr: true,
    })
    this.opened = this.#wait(options.openMs ?? defaults.openMs)
    this.#worker.on('message', (reply: EngineReply) => {
      this.#read(reply)
    })
    this.#worker.on('error', (error) => {
      this.#lose(engineErrorFrom(error.message.slice(0, 200)))
    })
    this.#worker.on('exit', () => {
      this.#lose(engineErrorFrom('its thread ended'))
    })
    this.#worker.stdout.resume()
    this.#worker.stderr.resume()
  }

  async run(bytes: Uint8Array<ArrayBuffer>, answerMs: number): Promise<Uint8Array> {
    if (this.#error !== undefined) throw this.#error
    if (this.#waiting !== undefined)
      throw new Error('Cannot run two requests at once as the engine takes one at a time')
    const troubledMs = this.#options.answerTroubledMs ?? defaults.answerTroubledMs
    const answer = this.#wait(this.#troubled ? Math.min(troubledMs, answerMs) : answerMs)
    const request: EngineRequest = { type: 'run', bytes }
    this.#worker.postMessage(request, [bytes.buffer])
    return await answer
  }

  async close(): Promise<void> {
    const { promise, resolve } = timeout(closeMs)
    this.#closing = resolve
    const request: EngineRequest = { type: 'close' }
    this.#worker.postMessage(request, [])
    await promise
    await this.#worker.terminate()
  }

  async #wait(withinMs: number): Promise<Uint8Array> {
    this.#watchdog = setTimeout(() => {
      const after = `Cannot use the store as its engine did not answer within ${withinMs} ms`
      this.#lose(new EngineError('58030', after, 'Try again: the engine is being restarted'))
    }, withinMs)
    return await new Promise<Uint8Array>((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  #read(reply: EngineReply): void {
    switch (reply.type) {
      case 'ready':
        this.#settle()?.resolve(reply.greeting)
        return
      case 'answer':
        this.#troubled = reply.troubled
        this.#settle()?.resolve(reply.bytes)
        return
      case 'broken':
        this.#lose(engineErrorFrom(reply.reason))
        return
      case 'closed':
        this.#closing?.()
        return
      default:
        reply satisfies never
    }
  }

  #settle(): Waiting | undefined {
    clearTimeout(this.#watchdog)
    const waiting = this.#waiting
    this.#waiting = undefined
    return waiting
  }

  #lose(error: EngineError): void {
    if (this.#error !== undefined) return
    this.#error = error
    this.#settle()?.reject(error)
    this.#closing?.()
    this.#onLost(error)
    void this.#worker.terminate()
  }
}

function closing(): EngineError {
  return new EngineError('57P01', 'Cannot use the store as it is closing', 'Try again: a new daemon is started')
}

function timeout(ms: number): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined
  const promise = new Promise<void>((done) => {
    const timer = setTimeout(done, ms)
    resolve = () => {
      clearTimeout(timer)
      done()
    }
  })
  return { promise, resolve }
}
