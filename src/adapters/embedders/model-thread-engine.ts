import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

import { limits } from '../../limits.ts'
import type { FoundName } from '../../model/names.ts'
import { packageFile } from '../../package-file.ts'
import { ProviderError } from '../../ports/provider-error.ts'
import { asUpdated } from '../../updated.ts'
import { modelThreadReply, type ModelThreadOptions, type ModelThreadReply } from './model-thread-messages.ts'
import type { TextEngine } from './text-queue.ts'

/** Threads need JavaScript, also where this module runs from its source, as in tests. */
const threadFile = packageFile('dist/adapters/embedders/model-thread.js')

/**
 * A model in a thread. It keeps the process only while it has a text; ending it gives most of its memory back. Once it
 * failed it is not used again: nobody knows in what state code that broke off has left its memory.
 */
export class ModelThreadEngine implements TextEngine {
  readonly #thread: Worker
  readonly #provider: 'local' | 'onnx'
  #isUsable = true
  /** From the start of the thread, and from each text, until the answer. */
  #isWorking = true

  private constructor(thread: Worker, kind: ModelThreadOptions['kind']) {
    this.#thread = thread
    this.#provider = kind === 'local' ? kind : 'onnx'
    thread.on('message', () => {
      this.#isWorking = false
    })
    thread.on('exit', () => {
      this.#isUsable = false
      this.#isWorking = false
    })
    // What waits for the thread hears of its error by itself; without a listener it would end the process.
    thread.on('error', () => undefined)
  }

  /** Starts a thread and loads the model. Throws ProviderError; what is missing where a package is, the caller says. */
  static async open(options: ModelThreadOptions, packagesMissing: () => ProviderError): Promise<ModelThreadEngine> {
    const engine = new ModelThreadEngine(new Worker(threadFile, { workerData: options }), options.kind)
    try {
      const reply = await engine.#reply(limits.localModelLoadMs)
      if (reply.kind === 'ready') return engine
      if (reply.kind === 'not_installed') throw packagesMissing()
      throw new ProviderError(engine.#provider, 'unavailable', { cause: reply })
    } catch (error) {
      await engine.close()
      throw error
    }
  }

  get isUsable(): boolean {
    return this.#isUsable
  }

  /** Whether it was given up while it computes: it is ended when it has an answer. */
  get isHung(): boolean {
    return !this.#isUsable && this.#isWorking
  }

  async embed(text: string): Promise<Float32Array> {
    const reply = await this.#ask(text)
    return reply.kind === 'vector' ? reply.values : this.#fail(reply)
  }

  async findNames(text: string): Promise<readonly FoundName[]> {
    const reply = await this.#ask(text)
    return reply.kind === 'names' ? reply.names : this.#fail(reply)
  }

  #ask(text: string): Promise<ModelThreadReply> {
    this.#isWorking = true
    this.#thread.postMessage({ text })
    return this.#reply(limits.localModelTextMs)
  }

  #fail(reply: ModelThreadReply): never {
    this.#isUsable = false
    throw new ProviderError(this.#provider, 'rejected', { cause: reply })
  }

  /**
   * Ends the thread. WASM is broken off. Native code is waited for, since onnxruntime-node aborts the whole process when its
   * thread is ended in the midst of a text or of loading; one that hangs is left alone.
   */
  async close(): Promise<void> {
    this.#isUsable = false
    const mayEnd = this.#provider === 'local' || !this.#isWorking || (await this.#hasAnswered())
    if (mayEnd) await this.#thread.terminate()
    else {
      this.#thread.unref()
      this.#thread.once('message', () => void this.#thread.terminate())
    }
  }

  /** Waits for the thread's answer or end as long as a text may take; false where there was neither. */
  async #hasAnswered(): Promise<boolean> {
    const signal = AbortSignal.timeout(limits.localModelTextMs)
    try {
      await Promise.race([once(this.#thread, 'message', { signal }), once(this.#thread, 'exit', { signal })])
      return true
    } catch {
      // It had an uncaught error, which ends it, unless the time was over.
      return !signal.aborted
    }
  }

  /** The thread's next message. A thread that died or is silent for too long is lost. */
  async #reply(ms: number): Promise<ModelThreadReply> {
    const over = new AbortController()
    const timeout = AbortSignal.timeout(ms)
    const signal = AbortSignal.any([over.signal, timeout])
    this.#thread.ref()
    try {
      const message: unknown = await Promise.race([
        once(this.#thread, 'message', { signal }).then(([first]: unknown[]) => first),
        // `once` rejects by itself where the thread has an uncaught error.
        once(this.#thread, 'exit', { signal }).then(() => {
          throw new ProviderError(this.#provider, 'unavailable')
        }),
      ])
      return modelThreadReply.parse(message)
    } catch (cause) {
      this.#isUsable = false
      if (cause instanceof ProviderError) throw cause
      throw new ProviderError(this.#provider, timeout.aborted ? 'timeout' : 'unavailable', {
        cause: asUpdated(cause),
      })
    } finally {
      over.abort()
      // A thread that is being ended keeps the process until it is.
      if (this.#isUsable) this.#thread.unref()
    }
  }
}
