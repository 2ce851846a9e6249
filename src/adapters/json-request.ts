import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'

import { limits } from '../limits.ts'
import { isProviderFailure, ProviderError, type ProviderFailure } from '../ports/provider-error.ts'
import { failureOfStatus, retryAfterMs } from './http-failure.ts'

/** How Verbatim's own service says how its provider failed, and with which status: HTTP has no word for all of it. */
export const failureHeader = 'x-verbatim-failure'
export const providerStatusHeader = 'x-verbatim-provider-status'

/** Where a service listens: an address up to the path of the request, or a Unix socket or named pipe of this machine. */
export type JsonTarget =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'socket'; readonly path: string }

export interface JsonRequest {
  readonly provider: string
  /** Appended to the target's address. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** Sent as JSON with POST; without it the request is a GET. */
  readonly body?: unknown
  readonly signal: AbortSignal
}

interface Answer {
  readonly status: number
  readonly retryAfter: string | null | undefined
  /** What Verbatim's own service says of a failure of its provider. */
  readonly failed?: { readonly failure: ProviderFailure; readonly status: number | undefined } | undefined
  readonly body: AsyncIterable<unknown>
  /** Gives the connection back without reading the body. */
  discard(): void
}

/**
 * One exchange of JSON; the answer may have `embeddingAnswerBytesMax` of limits.ts. Throws ProviderError, its kind from
 * the status; where the signal is aborted, whatever the platform says.
 */
export async function requestJson(target: JsonTarget, request: JsonRequest): Promise<unknown> {
  const text = await exchange(target, request)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ProviderError(request.provider, 'malformed', { cause })
  }
}

async function exchange(target: JsonTarget, request: JsonRequest): Promise<string> {
  try {
    const answer = await (target.kind === 'url' ? sendToUrl(target.url, request) : sendToSocket(target.path, request))
    if (answer.status >= 200 && answer.status < 300) return await readText(answer, request.provider)
    answer.discard()
    const { failure, status } = answer.failed ?? { failure: failureOfStatus(answer.status), status: answer.status }
    throw new ProviderError(request.provider, failure, { status, retryAfterMs: retryAfterMs(answer.retryAfter) })
  } catch (cause) {
    if (cause instanceof ProviderError) throw cause
    throw new ProviderError(request.provider, 'unavailable', { cause })
  }
}

function contentOf({ body, headers }: JsonRequest): {
  readonly method: string
  readonly body?: string
  readonly headers: Record<string, string>
} {
  if (body === undefined) return { method: 'GET', headers: { ...headers } }
  return { method: 'POST', body: JSON.stringify(body), headers: { ...headers, 'content-type': 'application/json' } }
}

async function sendToUrl(url: string, request: JsonRequest): Promise<Answer> {
  // An address that leads elsewhere would lead the key there too.
  const response = await fetch(`${url}${request.path}`, {
    ...contentOf(request),
    signal: request.signal,
    redirect: 'manual',
  })
  return {
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    body: response.body ?? Readable.from([]),
    // What is left of an answer that failed already cannot fail it once more.
    discard: () => void response.body?.cancel().catch(() => undefined),
  }
}

/** `fetch` knows no sockets of this machine. */
function sendToSocket(socketPath: string, request: JsonRequest): Promise<Answer> {
  const { method, headers, body = '' } = contentOf(request)
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      {
        socketPath,
        path: request.path,
        method,
        headers: { ...headers, 'content-length': Buffer.byteLength(body) },
        signal: request.signal,
        // A connection of its own: the service is next door, and nothing is left open.
        agent: false,
      },
      (incoming) =>
        resolve({
          status: incoming.statusCode ?? 0,
          retryAfter: incoming.headers['retry-after'],
          failed: failedOf(incoming.headers),
          body: incoming,
          discard: () => void incoming.destroy(),
        }),
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

function failedOf(headers: IncomingHttpHeaders): Answer['failed'] {
  const failure = headers[failureHeader]
  const status = headers[providerStatusHeader]
  if (!isProviderFailure(failure)) return undefined
  return { failure, status: status === undefined ? undefined : Number(status) }
}

/** Of an answer that breaks off the failure has the status: it had begun. */
async function readText({ status, body }: Answer, provider: string): Promise<string> {
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  try {
    for await (const chunk of body) {
      if (!(chunk instanceof Uint8Array)) throw new ProviderError(provider, 'malformed')
      sizeBytes += chunk.length
      if (sizeBytes > limits.embeddingAnswerBytesMax) throw new ProviderError(provider, 'malformed')
      chunks.push(chunk)
    }
  } catch (cause) {
    if (cause instanceof ProviderError) throw cause
    throw new ProviderError(provider, 'unavailable', { status, cause })
  }
  return Buffer.concat(chunks).toString()
}
