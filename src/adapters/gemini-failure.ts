import { z } from 'zod'

import { ProviderError } from '../ports/provider-error.ts'
import { failureOfStatus } from './http-failure.ts'

/** What the client throws for an answer other than 200: told by its shape, so that the client need not be loaded. */
const fetchErrorSchema = z.object({
  status: z.number().int(),
  errorDetails: z.array(z.record(z.string(), z.unknown())).optional().catch(undefined),
})

const retryInfoSchema = z.object({
  '@type': z.literal('type.googleapis.com/google.rpc.RetryInfo'),
  retryDelay: z.string().regex(/^\d{1,9}(?:\.\d+)?s$/),
})

const invalidKeySchema = z.object({
  '@type': z.literal('type.googleapis.com/google.rpc.ErrorInfo'),
  reason: z.enum(['API_KEY_INVALID', 'API_KEY_EXPIRED']),
})

/** A failure of Google's client as ours. The text of the client, which quotes the service's, stays in `cause`. */
export function geminiFailure(cause: unknown): ProviderError {
  if (cause instanceof SyntaxError) return new ProviderError('gemini', 'malformed', { cause })
  const parsed = fetchErrorSchema.safeParse(cause)
  if (!parsed.success) {
    // What fails before an answer the client wraps; an answer that breaks off is read past it, by the platform.
    const status = cause instanceof TypeError ? 200 : undefined
    return new ProviderError('gemini', 'unavailable', { status, cause })
  }
  const { status, errorDetails = [] } = parsed.data
  // A wrong key is answered with 400, as an input that cannot be taken is.
  const isKeyWrong = errorDetails.some((detail) => invalidKeySchema.safeParse(detail).success)
  return new ProviderError('gemini', isKeyWrong ? 'refused' : failureOfStatus(status), {
    status,
    retryAfterMs: retryDelayMs(errorDetails),
    cause,
  })
}

/** Such as `34.07s`. */
function retryDelayMs(details: readonly unknown[]): number | undefined {
  const found = details.flatMap((detail) => retryInfoSchema.safeParse(detail).data ?? []).at(0)
  return found === undefined ? undefined : Math.ceil(Number.parseFloat(found.retryDelay) * 1_000)
}
