import {
  BrokenCircuitError,
  circuitBreaker,
  ConsecutiveBreaker,
  handleWhen,
  type CircuitBreakerPolicy,
} from 'cockatiel'

import type { Embedder, EmbeddingModel, EmbedOptions } from '../../ports/embedder.ts'
import type { CircuitState } from '../../ports/observer.ts'
import { ProviderError } from '../../ports/provider-error.ts'
import { tellCircuit } from '../circuit-state.ts'
import { tryAgain } from '../try-again.ts'

export interface ResilienceOptions {
  /** Attempts for one call, the first included; default 4. */
  readonly attemptsMax?: number
  /** Pause before the second attempt; each further one is twice as long, and each is jittered between a half and the whole. Default 500 ms. */
  readonly pauseMs?: number
  /** The longest pause of our own between two attempts; a provider may ask for a longer one. Default 20 s. */
  readonly pauseMaxMs?: number
  /** No attempt begins later than this after the call; default 60 s. */
  readonly totalMs?: number
  /** The same of a query whose caller does not say how long it waits: it ends before a search gives up, so that this can say why. Default 750 ms. */
  readonly queryTotalMs?: number
  /** Failures in a row after which nothing is asked for a while; default 5. */
  readonly failuresToOpen?: number
  /** How long nothing is asked then; default 30 s. */
  readonly openMs?: number
  /** Told the state that the circuit breaker is in: at once, and at each change. */
  readonly circuitChanged?: (state: CircuitState) => void
  /** Waits; default: for real. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>
}

const defaults = {
  attemptsMax: 4,
  pauseMs: 500,
  pauseMaxMs: 20_000,
  totalMs: 60_000,
  queryTotalMs: 750,
  failuresToOpen: 5,
  openMs: 30_000,
  circuitChanged: () => undefined,
} as const

/**
 * An embedder that tries again what may succeed later, and leaves a provider alone that does not work. Each attempt goes
 * through a circuit breaker, which is `closed` (attempts pass), `open` after several failures in a row (they fail at once,
 * as `unavailable`), and after a pause `half open` (one attempt passes: its success closes, its failure opens again). A
 * text that the provider does not take says nothing about the provider and does not count.
 */
export class ResilientEmbedder implements Embedder {
  readonly #inner: Embedder
  readonly #options: Required<Omit<ResilienceOptions, 'sleep'>> & Pick<ResilienceOptions, 'sleep'>
  readonly #breaker: CircuitBreakerPolicy
  /** The last failure that counted, and when it did: what an open circuit refers to. */
  #last: { readonly provider: string; readonly atMs: number } = { provider: 'the embedder', atMs: 0 }

  constructor(inner: Embedder, options: ResilienceOptions = {}) {
    this.#inner = inner
    this.#options = { ...defaults, ...options }
    this.#breaker = circuitBreaker(
      handleWhen((error) => error instanceof ProviderError && error.failure !== 'rejected'),
      {
        breaker: new ConsecutiveBreaker(this.#options.failuresToOpen),
        halfOpenAfter: this.#options.openMs,
      },
    )
    tellCircuit(this.#breaker, this.#options.circuitChanged)
  }

  get isPaid(): boolean {
    return this.#inner.isPaid
  }

  get limits(): Embedder['limits'] {
    return this.#inner.limits
  }

  describe(options: { readonly signal: AbortSignal }): Promise<EmbeddingModel> {
    return this.#try(() => this.#inner.describe(options), options.signal, this.#options.totalMs)
  }

  embed(texts: readonly string[], options: EmbedOptions): Promise<readonly Float32Array[]> {
    const { totalMs, queryTotalMs } = this.#options
    const ms = options.retryMs ?? (options.purpose === 'query' ? queryTotalMs : totalMs)
    return this.#try(() => this.#inner.embed(texts, options), options.signal, ms)
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  #try<T>(work: () => Promise<T>, signal: AbortSignal, totalMs: number): Promise<T> {
    return tryAgain(() => this.#attempt(work), { ...this.#options, signal, totalMs, pauseAfter })
  }

  async #attempt<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await this.#breaker.execute(work)
    } catch (error) {
      if (error instanceof ProviderError) this.#last = { provider: error.provider, atMs: Date.now() }
      if (!(error instanceof BrokenCircuitError)) throw error
      const closesMs = this.#last.atMs + this.#options.openMs
      const retryAfterMs = Math.max(0, closesMs - Date.now())
      throw new ProviderError(this.#last.provider, 'unavailable', { retryAfterMs, cause: error })
    }
  }
}

function pauseAfter(error: unknown): number | undefined {
  if (!(error instanceof ProviderError) || !error.isTransient) return undefined
  // An open circuit will not close for being asked again.
  return error.cause instanceof BrokenCircuitError ? undefined : (error.retryAfterMs ?? 0)
}
