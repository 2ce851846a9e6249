import { UnavailableError } from '../errors.ts'

/**
 * - `rate_limited`: too many calls; `retryAfterMs` says when to come again, where the provider does
 * - `unavailable`: it answered 5xx, reset the connection or could not be reached
 * - `timeout`: no answer within the time given
 * - `refused`: the key, the model or the address is wrong; trying again changes nothing
 * - `rejected`: it does not take this input; trying again changes nothing
 * - `malformed`: its answer is not what its description says: another number of vectors, other dimensions
 * - `withheld`: it gave no answer to this input, by rules of its own on what may be said
 * - `cut_off`: its answer broke off at the length that it was given, or it used that up before it began
 * - `over_budget`: today's budget for paid calls is used up
 * - `not_offered`: of a model on this machine: no process offers it now; the one that does may be starting
 * - `not_installed`: a package or a file that it needs is not on this machine; `remedy` says how to get it
 */
export type ProviderFailure =
  | 'rate_limited'
  | 'unavailable'
  | 'timeout'
  | 'refused'
  | 'rejected'
  | 'malformed'
  | 'withheld'
  | 'cut_off'
  | 'over_budget'
  | 'not_offered'
  | 'not_installed'

const descriptions: Readonly<Record<ProviderFailure, string>> = {
  rate_limited: 'it has had too many calls for now',
  unavailable: 'it does not answer',
  timeout: 'it did not answer in time',
  refused: 'it refused the key, the model or the address',
  rejected: 'it does not take this input',
  malformed: 'its answer is not what its description says',
  withheld: 'it held its answer back, by rules of its own',
  cut_off: 'its answer broke off at the length that it was given',
  over_budget: 'the budget for paid calls of today, VERBATIM_DAILY_TOKENS, is used up',
  not_offered: 'no process of this machine offers it yet',
  not_installed: 'what it needs is not installed',
}

export function isProviderFailure(value: unknown): value is ProviderFailure {
  return typeof value === 'string' && Object.hasOwn(descriptions, value)
}

/** What to do, where the thrower does not know better. */
const remedies: Readonly<Record<ProviderFailure, string | undefined>> = {
  rate_limited: 'Try again later',
  unavailable: 'Try again later; check the network and the address where it lasts',
  timeout: 'Try again later',
  refused: 'Check the settings of the provider: its key, its model and its address; "verbatim doctor" shows them',
  rejected: undefined,
  malformed: 'Check that the address is of a service of this kind, and that model and dimensions belong together',
  withheld: 'Ask about other messages, or use another model',
  cut_off: 'Ask for less, or use a model that thinks less before it answers',
  over_budget: 'Wait for the next day, or set VERBATIM_DAILY_TOKENS to more',
  not_offered: 'Try again in a moment; "verbatim doctor" says why where it lasts',
  not_installed: undefined,
}

const transient: ReadonlySet<ProviderFailure> = new Set(['rate_limited', 'unavailable', 'timeout', 'not_offered'])

/** A remote or local provider did not do what it was asked. The text never quotes what the provider said. */
export class ProviderError extends UnavailableError {
  override readonly name = 'ProviderError'
  readonly provider: string
  readonly failure: ProviderFailure
  /** Milliseconds after which the provider wants to be asked again. */
  readonly retryAfterMs: number | undefined
  /** HTTP status, where there was an answer; one of success where it broke off. */
  readonly status: number | undefined

  constructor(
    provider: string,
    failure: ProviderFailure,
    details: {
      readonly retryAfterMs?: number | undefined
      readonly status?: number | undefined
      readonly remedy?: string
      readonly cause?: unknown
    } = {},
  ) {
    const status = details.status === undefined || details.status < 300 ? '' : ` (status ${details.status})`
    const remedy = details.remedy ?? remedies[failure]
    super(`Cannot use ${provider} as ${descriptions[failure]}${status}`, {
      cause: details.cause,
      ...(remedy === undefined ? {} : { remedy }),
    })
    this.provider = provider
    this.failure = failure
    this.retryAfterMs = details.retryAfterMs
    this.status = details.status
  }

  /** Whether it is about what was asked: the provider works, and the same call fails again. */
  get isAboutInput(): boolean {
    return this.failure === 'rejected' || this.failure === 'withheld' || this.failure === 'cut_off'
  }

  /** Whether the same call may succeed later. */
  get isTransient(): boolean {
    return transient.has(this.failure)
  }
}
