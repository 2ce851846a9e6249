import { limits } from '../../limits.ts'
import { ProviderError } from '../../ports/provider-error.ts'
import type { GenerationBounds, GenerationRequest, TextGenerator } from '../../ports/text-generator.ts'
import { tryAgain } from '../try-again.ts'

/** As an embedder is tried again, but fewer times: a writing takes longer, and somebody may wait for it. */
const patience = { attemptsMax: 3, pauseMs: 500, pauseMaxMs: 20_000 } as const
/** What stands before a model says so where it cannot be reached just now. */
const unreachable: readonly number[] = [502, 503, 504]

/**
 * A model that is asked again, twice at most, where it did nothing for the call: it has had too many and wants to be asked again within
 * seconds (Gemini's RetryInfo, `retry-after`), it could not be reached, or the connection was reset before it answered. What may have been
 * written and charged for, as no answer came in time or it broke off, is not asked for again, and what was refused would be once more.
 * No try begins after the caller's time, nor later than one request may take.
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

  generate(request: GenerationRequest, bounds: GenerationBounds): Promise<string> {
    const { signal, endsAtMs = Infinity } = bounds
    // Who waits without a limit of their own waits for two requests at most.
    const totalMs = Math.min(endsAtMs - performance.now(), limits.generationRequestMs)
    return tryAgain(() => this.#inner.generate(request, bounds), { ...patience, totalMs, signal, pauseAfter })
  }
}

function pauseAfter(error: unknown): number | undefined {
  if (!(error instanceof ProviderError)) return undefined
  const { failure, status, retryAfterMs } = error
  const isUnreachable = failure === 'unavailable' && (status === undefined || unreachable.includes(status))
  // Without a word on when, too many calls are too many for minutes.
  const pauseMs = retryAfterMs ?? (isUnreachable ? 0 : Infinity)
  return (isUnreachable || failure === 'rate_limited') && pauseMs <= limits.generationWaitMsMax ? pauseMs : undefined
}
