import { Worker } from 'node:worker_threads'

import { compiledFile } from '../compiled.ts'
import { EngineError, engineErrorFrom, engineErrorOf } from './engine-error.ts'
import type { EngineReply, EngineRequest, EngineThreadOptions } from './engine-messages.ts'
import { timeout } from './timeout.ts'

export interface EngineWorkerOptions extends EngineThreadOptions {
  /** How long a request may take once PostgreSQL has reported a full disk or an input or output error; default 2 s. */
  readonly answerTroubledMs?: number
  /** Recovery after a kill replays the WAL since the last checkpoint, at most a few seconds; default 120 s. */
  readonly openMs?: number
}

const defaults = { answerTroubledMs: 2_000, openMs: 120_000 } as const
const closeMs = 20_000

/** One life of the worker thread, from its start to its loss. */
export class EngineWorker {
  readonly opened: Promise<Uint8Array>
  readonly #worker: Worker
  readonly #options: EngineWorkerOptions
  readonly #onLost: (error: EngineError) => void
  #waiting: Waiting | undefined
  #watchdog: NodeJS.Timeout | undefined
  #troubled = false
  #error: EngineError | undefined
  #closing: (() => void) | undefined

  constructor(options: EngineWorkerOptions, onLost: (error: EngineError) => void) {
    this.#options = options
    this.#onLost = onLost
    const { dataDir, image } = options
    // Its output is captured and dropped: an uncaught error of PGlite prints its whole source.
    this.#worker = new Worker(compiledFile('engine/engine-thread.js'), {
      workerData: { dataDir, image },
      stdout: true,
      stderr: true,
    })
    this.opened = this.#wait(options.openMs ?? defaults.openMs)
    this.#worker.on('message', (reply: EngineReply) => {
      this.#read(reply)
    })
    this.#worker.on('error', (error) => {
      this.#lose(engineErrorOf(error))
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

interface Waiting {
  readonly resolve: (bytes: Uint8Array) => void
  readonly reject: (error: EngineError) => void
}
