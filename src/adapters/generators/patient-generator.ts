import { setTimeout } from 'node:timers/promises'

import { limits } from '../../limits.ts'
import { ProviderError } from '../../ports/provider-error.ts'
import type { GenerationBounds, GenerationRequest, TextGenerator } from '../../ports/text-generator.ts'

/**
 * A model that is asked a second time where it has had too many calls, says that it wants to be asked again within seconds (Gemini's
 * RetryInfo, `retry-after`), and there is time for that. Everything else fails as it does.
 */
export class PatientGenerator implements TextGenerator {
  readonly provider: string
  readonly model: string
  readonly isPaid: boolean
  readonly #inner: TextGenerator

  constructor(inner: TextGenerator) {
    this.provider = inner.provider
    this.model = inner.model
    this.isPaid = inner.isPaid
    this.#inner = inner
  }

  async generate(request: GenerationRequest, bounds: GenerationBounds): Promise<string> {
    try {
      return await this.#inner.generate(request, bounds)
    } catch (error) {
      const waitMs = waitOf(error)
      const { signal, endsAtMs = Infinity } = bounds
      if (waitMs === undefined || performance.now() + waitMs >= endsAtMs) throw error
      await slept(waitMs, signal)
      return await this.#inner.generate(request, bounds)
    }
  }
}

/** Undefined where it is not worth waiting. */
function waitOf(error: unknown): number | undefined {
  if (!(error instanceof ProviderError) || error.failure !== 'rate_limited') return undefined
  const { retryAfterMs } = error
  return retryAfterMs !== undefined && retryAfterMs <= limits.generationWaitMsMax ? retryAfterMs : undefined
}

async function slept(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await setTimeout(ms, undefined, { signal })
  } finally {
    // Whatever the clock makes of an abort, the caller gets its own reason.
    signal.throwIfAborted()
  }
}
