import { ZodError } from 'zod'

import { NotFoundError, UnavailableError, VerbatimError } from '../errors.ts'
import type { Log } from '../log.ts'
import { describeError } from './call-tool.ts'

/** What a request failed with, in the terms of JSON-RPC; each kit gives it its SDK's own form. */
export class ProtocolFailure extends Error {
  override readonly name = 'ProtocolFailure'
  readonly kind: 'invalid_params' | 'resource_not_found' | 'internal'

  constructor(kind: ProtocolFailure['kind'], message: string, cause: unknown) {
    super(message, { cause })
    this.kind = kind
  }
}

function isCallersFault(error: unknown): boolean {
  return error instanceof ZodError || (error instanceof VerbatimError && !(error instanceof UnavailableError))
}

/** Any error as a failure of its request, in words that a caller may see. */
export function failureOf(error: unknown, log: Log): ProtocolFailure {
  if (error instanceof ProtocolFailure) return error
  const message = describeError(error, log)
  if (error instanceof NotFoundError) return new ProtocolFailure('resource_not_found', message, error)
  return new ProtocolFailure(isCallersFault(error) ? 'invalid_params' : 'internal', message, error)
}
