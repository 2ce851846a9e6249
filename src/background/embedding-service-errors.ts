import { failureHeader, providerStatusHeader } from '../adapters/json-request.ts'
import { VerbatimError, type ErrorCode } from '../errors.ts'
import { ProviderError, type ProviderFailure } from '../ports/provider-error.ts'

export interface Reply {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** A request that is not one of this service's protocol; the text may be shown to who sent it. */
export class RequestRefusal extends Error {
  override readonly name = 'RequestRefusal'
  readonly status: number
  readonly code: string | null

  constructor(status: number, code: string | null, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

/** Statuses from which an OpenAI-compatible client concludes the same failure, as far as HTTP has a word for it. */
const statusOfFailure: Readonly<Record<ProviderFailure, number>> = {
  rate_limited: 429,
  unavailable: 503,
  timeout: 504,
  refused: 403,
  rejected: 400,
  malformed: 502,
  withheld: 422,
  cut_off: 422,
  not_offered: 503,
  not_installed: 501,
  over_budget: 429,
}

const statusOfCode: Readonly<Record<ErrorCode, number>> = {
  input: 400,
  limit: 400,
  not_found: 404,
  forbidden: 403,
  conflict: 409,
  unavailable: 503,
}

/** Any failure as the reply that OpenAI's clients understand. What is not ours is not shown. */
export function failureReply(error: unknown): Reply {
  if (error instanceof RequestRefusal) return errorReply(error.status, error.message, error.code)
  if (error instanceof ProviderError) {
    const { failure, status, retryAfterMs } = error
    const headers = {
      [failureHeader]: failure,
      ...(status === undefined ? {} : { [providerStatusHeader]: String(status) }),
      ...(retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / 1_000)) }),
    }
    return { ...errorReply(statusOfFailure[failure], textOf(error), failure), headers }
  }
  if (error instanceof VerbatimError) return errorReply(statusOfCode[error.code], textOf(error), error.code)
  return errorReply(500, 'Internal error', null)
}

function textOf({ message, remedy }: VerbatimError): string {
  return remedy === undefined ? message : `${message}. ${remedy}`
}

function errorReply(status: number, message: string, code: string | null): Reply {
  const type = status >= 500 ? 'server_error' : status === 429 ? 'rate_limit_error' : 'invalid_request_error'
  return { status, body: { error: { message, type, param: null, code } } }
}
