import { limits } from '../../limits.ts'
import type { EmbeddingPurpose, EmbedOptions } from '../../ports/embedder.ts'
import { ProviderError } from '../../ports/provider-error.ts'

/** Some short texts later there is room again. */
const fullRetryMs = 2_000

/** A loaded model that embeds one text at a time. */
export interface TextEngine {
  /** Throws ProviderError. */
  embed(text: string): Promise<Float32Array>
  /** False once it is lost: what waits gets another engine. */
  readonly isUsable: boolean
  close(): Promise<void>
}

export interface TextQueueOptions {
  readonly provider: string
  readonly open: () => Promise<TextEngine>
  /** Engines that may be open at once. */
  readonly enginesMax: number
  /** How long an engine without work stays open. */
  readonly idleMs: number
  /** The same after a query, as in a conversation the next one is near, and opening takes longer than who asks may wait; default `idleMs`. */
  readonly idleAfterQueryMs?: number | undefined
}

/** Of a model on this machine, which takes hundreds of megabytes, and a second to load. */
export const usualIdle = { idleMs: 60_000, idleAfterQueryMs: 300_000 } as const

interface Call {
  readonly texts: readonly string[]
  readonly vectors: Float32Array[]
  /** The next text that no engine has yet. */
  next: number
  missing: number
  finish(): void
  fail(reason: unknown): void
}

/**
 * Texts on their way to engines, one by one, so that a query never waits longer than for the text that is being embedded.
 * An engine's runner is `opening`, `working` (takes text after text, queries first) or `idle` (waits for a call, and
 * closes the engine when none comes in time). A call fails as a whole, with its first failure.
 */
export class TextQueue {
  readonly #options: TextQueueOptions
  readonly #waiting: Readonly<Record<EmbeddingPurpose, Call[]>> = { query: [], document: [] }
  readonly #calls = new Set<Call>()
  readonly #runners = new Set<Promise<void>>()
  readonly #idle: (() => void)[] = []
  #running = 0
  #closed = false
  #queriedAtMs = -Infinity

  constructor(options: TextQueueOptions) {
    this.#options = options
  }

  /** Vectors as the engine makes them, in the order of the texts. Throws ProviderError, or the signal's reason. */
  async embed(texts: readonly string[], { purpose, signal }: EmbedOptions): Promise<readonly Float32Array[]> {
    signal.throwIfAborted()
    if (this.#closed) throw this.#closedError()
    const waiting = [...this.#calls].reduce((sum, { missing }) => sum + missing, 0)
    if (waiting + texts.length > limits.localModelWaitingTextsMax)
      throw new ProviderError(this.#options.provider, 'rate_limited', { retryAfterMs: fullRetryMs })
    if (texts.length === 0) return []
    if (purpose === 'query') this.#queriedAtMs = performance.now()
    const vectors: Float32Array[] = []
    await new Promise<void>((resolve, reject) => {
      const abort = () => call.fail(signal.reason)
      const forget = () => {
        signal.removeEventListener('abort', abort)
        this.#calls.delete(call)
        const place = this.#waiting[purpose].indexOf(call)
        if (place >= 0) this.#waiting[purpose].splice(place, 1)
      }
      const call: Call = {
        texts,
        vectors,
        next: 0,
        missing: texts.length,
        finish: () => {
          forget()
          resolve()
        },
        fail: (reason) => {
          forget()
          reject(reason)
        },
      }
      signal.addEventListener('abort', abort)
      this.#calls.add(call)
      this.#waiting[purpose].push(call)
      this.#employ(texts.length)
    })
    return vectors
  }

  /** Ends all engines, each after the text that it has. */
  async close(): Promise<void> {
    this.#closed = true
    this.#failAll(this.#closedError())
    for (const wake of this.#idle.splice(0)) wake()
    await Promise.all(this.#runners)
  }

  #closedError(): ProviderError {
    return new ProviderError(this.#options.provider, 'unavailable')
  }

  #failAll(error: unknown): void {
    for (const call of this.#calls) call.fail(error)
  }

  /** Gives work to engines that wait for it, then opens further ones as far as there may be any. */
  #employ(texts: number): void {
    let left = texts
    for (; left > 0; left -= 1) {
      const wake = this.#idle.shift()
      if (wake === undefined) break
      wake()
    }
    for (; left > 0 && this.#running < this.#options.enginesMax; left -= 1) {
      this.#running += 1
      const runner = this.#run()
      this.#runners.add(runner)
      void runner.then(() => this.#runners.delete(runner))
    }
  }

  /** Never rejects: whatever fails, fails the calls that wait for it. */
  async #run(): Promise<void> {
    let engine: TextEngine
    try {
      engine = await this.#options.open()
    } catch (error) {
      this.#running -= 1
      // Where another engine is open, one more was a wish only.
      if (this.#running === 0) this.#failAll(error)
      return
    }
    await this.#work(engine)
    // What cannot be closed is lost already. It is waited for, so that there are never more models in memory than may be.
    await engine.close().catch(() => undefined)
    this.#running -= 1
    if (this.#take() !== undefined) this.#employ(1)
  }

  async #work(engine: TextEngine): Promise<void> {
    while (engine.isUsable && !this.#closed) {
      const call = this.#take()
      if (call !== undefined) await this.#embedNext(call, engine)
      else if (!(await this.#waitForCall())) return
    }
  }

  async #embedNext(call: Call, engine: TextEngine): Promise<void> {
    const index = call.next
    call.next += 1
    try {
      call.vectors[index] = await engine.embed(call.texts[index] ?? '')
      call.missing -= 1
      if (call.missing === 0) call.finish()
    } catch (error) {
      call.fail(error)
    }
  }

  /** The call whose text is next: the oldest query, else the oldest document. */
  #take(): Call | undefined {
    for (const calls of [this.#waiting.query, this.#waiting.document]) {
      const call = calls.find(({ next, texts }) => next < texts.length)
      if (call !== undefined) return call
    }
    return undefined
  }

  #idleMs(): number {
    const { idleMs, idleAfterQueryMs = idleMs } = this.#options
    return Math.max(idleMs, this.#queriedAtMs + idleAfterQueryMs - performance.now())
  }

  /** True where there may be a call, false where the time is over. */
  #waitForCall(): Promise<boolean> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer)
        resolve(true)
      }
      const timer = setTimeout(() => {
        this.#idle.splice(this.#idle.indexOf(wake), 1)
        resolve(false)
      }, this.#idleMs())
      // An engine that waits must not keep the process.
      timer.unref()
      this.#idle.push(wake)
    })
  }
}
