import type { Pinecone } from '@pinecone-database/pinecone'
import type { z } from 'zod'

import { limits } from '../../limits.ts'
import { unobserved, type Observer } from '../../ports/observer.ts'
import { ProviderError } from '../../ports/provider-error.ts'
import { failureOfStatus, retryAfterMs } from '../http-failure.ts'

export interface PineconeConnection {
  readonly apiKey: string
  /** Default: Pinecone's own. */
  readonly controllerHostUrl?: string | undefined
  /** The bound on one request; default `pineconeRequestMs` of limits.ts. */
  readonly requestMs?: number | undefined
  readonly observer?: Observer | undefined
}

/** What a call needs besides the client: the headers of its last answer, which the client does not give. */
interface Exchange {
  headers: Headers
  failure: ProviderError | undefined
}

/** Of a call that failed with 5xx the client makes one more; whoever calls us decides on further ones. */
const retriesMax = 1

const provider = 'pinecone'

/**
 * One call of Pinecone's client, with the headers of its answer. Each call has a client of its own (0.1 ms), because
 * the client's only door to signals, headers and statuses is the `fetch` that it is given. Throws ProviderError, and
 * the signal's reason where it is aborted.
 */
export async function callPinecone<T>(
  connection: PineconeConnection,
  signal: AbortSignal,
  work: (client: Pinecone) => Promise<T>,
): Promise<{ readonly value: T; readonly headers: Headers }> {
  signal.throwIfAborted()
  const exchange: Exchange = { headers: new Headers(), failure: undefined }
  // Loaded at the first use: it takes 150 to 450 ms.
  const { Pinecone } = await import('@pinecone-database/pinecone')
  const client = new Pinecone({
    apiKey: connection.apiKey,
    ...(connection.controllerHostUrl === undefined ? {} : { controllerHostUrl: connection.controllerHostUrl }),
    maxRetries: retriesMax,
    fetchApi: (url: string, init: RequestInit) =>
      answerOf(exchange, new Request(url, init), { signal, ms: connection.requestMs ?? limits.pineconeRequestMs }),
  })
  const { observer = unobserved } = connection
  return await observer.during({ kind: 'provider', provider, call: 'vectors' }, async () => {
    try {
      const value = await work(client)
      return { value, headers: exchange.headers }
    } catch (cause) {
      signal.throwIfAborted()
      if (cause instanceof ProviderError) throw cause
      // Where the exchange went well, it is the body that the client could not read.
      throw exchange.failure ?? new ProviderError(provider, 'malformed', { cause })
    }
  })
}

/** An answer of the client as a schema says it is. Throws ProviderError. */
export function parseAnswer<S extends z.ZodType>(schema: S, answer: unknown): z.output<S> {
  const parsed = schema.safeParse(answer)
  if (parsed.success) return parsed.data
  throw new ProviderError(provider, 'malformed')
}

/** Sends a request, reads the whole answer within its bounds, and keeps what failed. */
async function answerOf(
  exchange: Exchange,
  request: Request,
  bounds: { readonly signal: AbortSignal; readonly ms: number },
): Promise<Response> {
  const timeout = AbortSignal.timeout(bounds.ms)
  try {
    const response = await fetch(request, { signal: AbortSignal.any([bounds.signal, timeout]), redirect: 'error' })
    const body = await readBody(response)
    exchange.headers = response.headers
    exchange.failure = response.ok ? undefined : failureOf(response)
    return new Response(body, { status: response.status, headers: response.headers })
  } catch (cause) {
    const failure =
      cause instanceof ProviderError
        ? cause
        : new ProviderError(provider, timeout.aborted ? 'timeout' : 'unavailable', { cause })
    exchange.failure = failure
    throw failure
  }
}

async function readBody(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of response.body ?? []) {
    sizeBytes += chunk.length
    if (sizeBytes > limits.pineconeAnswerBytesMax) throw new ProviderError(provider, 'malformed')
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks))
}

function failureOf(response: Response): ProviderError {
  const { status } = response
  return new ProviderError(provider, failureOfStatus(status), {
    status,
    retryAfterMs: retryAfterMs(response.headers.get('retry-after')),
  })
}
