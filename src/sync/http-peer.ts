import { setTimeout as sleep } from 'node:timers/promises'

import { z } from 'zod'

import {
  ConflictError,
  ForbiddenError,
  InputError,
  NotFoundError,
  UnavailableError,
  type ErrorCode,
  type VerbatimError,
} from '../errors.ts'
import { limits } from '../limits.ts'
import type { SyncedMessage } from '../store/sync/place-messages.ts'
import { parseAnswer, PeerUnreachable, syncPath, type Answer, type Asked, type Peer, type Question } from './peer.ts'
import { decodeWire, encodeWire, wireMediaType } from './wire.ts'

/** What a server says that refuses: of its own errors their text, of the protocol's theirs. */
const refusalSchema = z.object({
  error: z.object({ code: z.union([z.string(), z.number()]), message: z.string(), remedy: z.string().optional() }),
})

const attemptsMax = 4
const retryMs = 250
const retryMsMax = 15_000

/** A store that is reached over HTTP. Every question may be asked again, so what fails for a moment is tried again. */
export class HttpPeer implements Peer {
  readonly #url: string
  readonly #token: string | undefined

  /** `url` is that of the server, as in https://memory.example.com. */
  constructor(url: string, token: string | undefined) {
    this.#url = url.replace(/\/+$/, '')
    this.#token = token
  }

  async ask<Q extends Question>(
    question: Q,
    asked: Asked<Q>,
    messages: readonly SyncedMessage[] = [],
  ): Promise<Answer<Q>> {
    const body = encodeWire(asked, messages)
    for (let attempt = 1; ; attempt++) {
      const result = await this.#send(question, body)
      if ('bytes' in result) {
        const wire = decodeWire(result.bytes)
        return { answer: parseAnswer(question, wire.json), messages: wire.messages }
      }
      if (attempt >= attemptsMax || !result.isMomentary) throw result.error
      await sleep(Math.min(result.retryMs ?? retryMs * 2 ** attempt, retryMsMax))
    }
  }

  async #send(
    question: Question,
    body: Buffer,
  ): Promise<
    | { readonly bytes: Uint8Array }
    | { readonly error: VerbatimError; readonly isMomentary: boolean; readonly retryMs?: number | undefined }
  > {
    try {
      const response = await fetch(`${this.#url}${syncPath}/${question}`, {
        method: 'POST',
        body: new Uint8Array(body),
        headers: {
          'content-type': wireMediaType,
          ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
        },
        // An address that leads elsewhere would lead the token there too.
        redirect: 'manual',
        signal: AbortSignal.timeout(limits.syncRequestMs),
      })
      const bytes = new Uint8Array(await response.arrayBuffer())
      if (response.ok) return { bytes }
      const after = Number(response.headers.get('retry-after'))
      return {
        error: this.#refusal(response.status, bytes),
        isMomentary: response.status === 429 || response.status === 503,
        retryMs: after > 0 ? after * 1_000 : undefined,
      }
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof DOMException)) throw error
      const unreachable = new PeerUnreachable(`Cannot reach ${this.#url}`, {
        remedy: 'Check that "verbatim serve" runs there, and that this machine may reach it',
        cause: error,
      })
      return { error: unreachable, isMomentary: true }
    }
  }

  #refusal(status: number, bytes: Uint8Array): VerbatimError {
    const said = refusalSchema.safeParse(parsed(bytes))
    const { code, message, remedy } = said.success
      ? said.data.error
      : { code: status, message: `It answered with status ${status}`, remedy: undefined }
    if (status === 401 || status === 403)
      return new PeerUnreachable(`${this.#url} does not let this store in: ${message}`, {
        remedy:
          remedy ?? 'Make a token there: verbatim token create --name sync --scopes read,write,delete,export,admin',
      })
    if (status === 404 && typeof code === 'number')
      return new PeerUnreachable(`There is no Verbatim at ${this.#url} that exchanges its history`, {
        remedy:
          'Give the address that "verbatim serve" prints there, without a path; both must run a version that has "verbatim sync"',
      })
    if (typeof code === 'number')
      return new UnavailableError(`${this.#url} does not answer as it should: ${message}`, {
        remedy: 'See what its log says of it',
      })
    return ownError(code, message, remedy)
  }
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function ownError(code: string, message: string, remedy: string | undefined): VerbatimError {
  const options = remedy === undefined ? {} : { remedy }
  const known: ReadonlyMap<string, VerbatimError> = new Map<ErrorCode, VerbatimError>([
    ['input', new InputError(message, options)],
    ['not_found', new NotFoundError(message, options)],
    ['forbidden', new ForbiddenError(message, options)],
    ['conflict', new ConflictError(message, options)],
  ])
  return known.get(code) ?? new UnavailableError(message, options)
}
