import {
  BrokenCircuitError,
  circuitBreaker,
  ConsecutiveBreaker,
  handleWhen,
  type CircuitBreakerPolicy,
} from 'cockatiel'

import type { CircuitState } from '../../ports/observer.ts'
import { ProviderError } from '../../ports/provider-error.ts'
import type { GenerationBounds, GenerationRequest, TextGenerator } from '../../ports/text-generator.ts'
import { untilAborted } from '../call-bounds.ts'
import { tellCircuit } from '../circuit-state.ts'

const failuresToOpen = 3
const openMs = 60_000

/**
 * A model that is left alone for a minute after three failures in a row, so that a search does not wait for one that does not
 * work again and again. What is tried again within a call counts once. Nobody waits longer than their signal says: who searches has no time. That
 * today's budget is used up, or that it gives no answer to one input, says nothing of the model and does not count.
 */
export class GuardedGenerator implements TextGenerator {
  readonly provider: string
  readonly model: string
  readonly isPaid: boolean
  readonly #inner: TextGenerator
  readonly #breaker: CircuitBreakerPolicy

  /** `circuitChanged` is told the state of the circuit breaker: at once, and at each change. */
  constructor(inner: TextGenerator, circuitChanged: (state: CircuitState) => void = () => undefined) {
    this.provider = inner.provider
    this.model = inner.model
    this.isPaid = inner.isPaid
    this.#inner = inner
    this.#breaker = circuitBreaker(
      handleWhen(
        (error) => !(error instanceof ProviderError && (error.failure === 'over_budget' || error.isAboutInput)),
      ),
      { breaker: new ConsecutiveBreaker(failuresToOpen), halfOpenAfter: openMs },
    )
    tellCircuit(this.#breaker, circuitChanged)
  }

  async generate(request: GenerationRequest, options: GenerationBounds): Promise<string> {
    try {
      return await this.#breaker.execute(() => untilAborted(this.#inner.generate(request, options), options.signal))
    } catch (error) {
      if (error instanceof BrokenCircuitError) throw new ProviderError(this.provider, 'unavailable', { cause: error })
      throw error
    }
  }
}
