import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey, type RemoteJWKSet } from 'jose'
import { z } from 'zod'

import { describeForLog, UnavailableError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Log } from '../log.ts'

/** Keys that were fetched are believed so long; a key that is not among them is looked for at most this often. */
const keysBelievedMs = 600_000
const unknownKeyPauseMs = 10_000
/** An issuer that did not answer is not asked again before. */
const failurePauseMs = 5_000
const answerMs = 5_000

const metadataSchema = z.object({ issuer: z.string(), jwks_uri: z.string() })

/** The keys that an authorization server signs its tokens with, fetched when they are first needed, and again as they change. */
export class IssuerKeys {
  readonly #issuer: string
  readonly #jwksUrl: string | undefined
  readonly #log: Log
  #keys: RemoteJWKSet | undefined
  #opening: Promise<RemoteJWKSet> | undefined
  #failedAtMs = Number.NEGATIVE_INFINITY

  constructor(issuer: { readonly issuer: string; readonly jwksUrl: string | undefined; readonly log: Log }) {
    this.#issuer = issuer.issuer
    this.#jwksUrl = issuer.jwksUrl
    this.#log = issuer.log
  }

  /** The key that a token's header names. UnavailableError where the keys cannot be had; a JOSEError where none fits. */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    try {
      const keys = this.#keys ?? (await this.#open())
      return await keys(header, token)
    } catch (error) {
      if (isAboutTheToken(error)) throw error
      // Keys that are still believed stay; else where they are may have changed as well.
      if (this.#keys?.fresh !== true) this.#keys = undefined
      this.#noteFailure(error)
      throw new UnavailableError('The authorization server does not give its keys now', { cause: error })
    }
  }

  #noteFailure(error: unknown): void {
    if (error instanceof PauseError) return
    this.#failedAtMs = performance.now()
    this.#log.warn(`the keys of ${this.#issuer} cannot be had: ${describeForLog(error)}`)
  }

  async #open(): Promise<RemoteJWKSet> {
    this.#opening ??= this.#locate().finally(() => (this.#opening = undefined))
    return await this.#opening
  }

  async #locate(): Promise<RemoteJWKSet> {
    this.#keys = createRemoteJWKSet(new URL(this.#jwksUrl ?? (await this.#discover())), {
      cacheMaxAge: keysBelievedMs,
      cooldownDuration: unknownKeyPauseMs,
      timeoutDuration: answerMs,
      [customFetch]: (url, init) => this.#fetch(url, init),
    })
    return this.#keys
  }

  /** By RFC 8414 or OpenID Connect Discovery, in the order in which clients of MCP look. */
  async #discover(): Promise<string> {
    for (const url of metadataUrls(this.#issuer)) {
      const response = await this.#fetch(url, { signal: AbortSignal.timeout(answerMs), redirect: 'manual' })
      if (response.status !== 200) continue
      const metadata = metadataSchema.safeParse(await response.json())
      if (!metadata.success) throw new UnavailableError(`${url} does not name an issuer and its keys`)
      const { issuer, jwks_uri: jwksUrl } = metadata.data
      if (issuer !== this.#issuer) throw new UnavailableError(`${url} is the metadata of another issuer`)
      if (!isAsSafe(jwksUrl, url)) throw new UnavailableError(`${url} names keys at an address that is not safe`)
      return jwksUrl
    }
    throw new UnavailableError('It publishes no metadata')
  }

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    if (performance.now() - this.#failedAtMs < failurePauseMs) throw new PauseError()
    const response = await fetch(url, init)
    // A page that is not there is an answer: another may be.
    if (response.status >= 500) throw new UnavailableError(`${url} answered with ${response.status}`)
    return new Response(response.status === 200 ? await boundedText(response) : null, { status: response.status })
  }
}

/** The issuer failed a moment ago, and is not asked. */
class PauseError extends Error {
  override readonly name = 'PauseError'
}

/** Else it is about the issuer, and the same token may be good later. */
function isAboutTheToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  )
}

function metadataUrls(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  const urls = [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}/.well-known/openid-configuration${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ]
  return [...new Set(urls)]
}

/** What comes by https does not lead to what comes by http. */
function isAsSafe(url: string, from: string): boolean {
  if (!URL.canParse(url)) return false
  const { protocol } = new URL(url)
  return protocol === 'https:' || (protocol === 'http:' && from.startsWith('http:'))
}

async function boundedText(response: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let sizeBytes = 0
  for await (const chunk of response.body ?? []) {
    sizeBytes += chunk.byteLength
    if (sizeBytes > limits.issuerAnswerBytesMax) throw new UnavailableError('Its answer is too large')
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}
