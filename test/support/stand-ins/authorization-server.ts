import { createHmac, generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto'

import { z } from 'zod'

import { JsonServer, Refusal, type Reply, type SeenRequest } from './json-server.ts'

type Claims = Readonly<Record<string, unknown>>

/** How a key signs, and the half of it that is published. */
export interface SigningKey {
  readonly algorithm: 'RS256' | 'PS256' | 'ES256' | 'EdDSA'
  readonly id: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

const seconds = () => Math.floor(Date.now() / 1_000)
const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

export function newKey(algorithm: SigningKey['algorithm'] = 'RS256'): SigningKey {
  const id = randomUUID()
  switch (algorithm) {
    case 'RS256':
    case 'PS256':
      return { algorithm, id, ...generateKeyPairSync('rsa', { modulusLength: 2_048 }) }
    case 'ES256':
      return { algorithm, id, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) }
    case 'EdDSA':
      return { algorithm, id, ...generateKeyPairSync('ed25519') }
    default:
      return algorithm satisfies never
  }
}

function signatureOf(text: string, { algorithm, privateKey: key }: SigningKey): string {
  const data = Buffer.from(text)
  const made = {
    RS256: () => sign('sha256', data, key),
    // 6 is PSS, whose salt is as long as the hash.
    PS256: () => sign('sha256', data, { key, padding: 6, saltLength: 32 }),
    ES256: () => sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' }),
    EdDSA: () => sign(null, data, key),
  }[algorithm]()
  return made.toString('base64url')
}

/** A JSON Web Token, written out without the library that the product reads it with. */
export function signedToken(claims: Claims, key: SigningKey, header: Claims = {}): string {
  const text = `${base64url({ alg: key.algorithm, kid: key.id, typ: 'at+jwt', ...header })}.${base64url(claims)}`
  return `${text}.${signatureOf(text, key)}`
}

/** What a token that is signed by nobody looks like. */
export function unsignedToken(claims: Claims): string {
  return `${base64url({ alg: 'none' })}.${base64url(claims)}.`
}

/** A token whose secret is what everybody can read: the published half of a key. */
export function publiclySignedToken(claims: Claims, key: SigningKey): string {
  const text = `${base64url({ alg: 'HS256', kid: key.id })}.${base64url(claims)}`
  const secret = key.publicKey.export({ type: 'spki', format: 'pem' })
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}

const tokenRequest = z.object({
  grant_type: z.literal('client_credentials'),
  resource: z.url(),
  scope: z.string().optional(),
})

/** A stand-in of an OAuth 2.1 authorization server: metadata, keys, and tokens for programs (`client_credentials`). */
export class AuthorizationServer extends JsonServer {
  readonly clients = new Map<string, string>()
  /** Those that are published, in the order in which they were made; the last one signs. */
  keys: SigningKey[] = [newKey()]
  /** Where its metadata is; none where it publishes none. */
  metadataPath = '/.well-known/oauth-authorization-server'
  #audience = ''

  static async start(audience: string): Promise<AuthorizationServer> {
    const server = new AuthorizationServer()
    server.#audience = audience
    await server.listen()
    return server
  }

  get issuer(): string {
    return this.url
  }

  get key(): SigningKey {
    const key = this.keys.at(-1)
    if (key === undefined) throw new Error('It has a key as long as nobody takes the last')
    return key
  }

  /** Requests of its keys so far. */
  get keyRequests(): number {
    return this.requests.filter(({ path }) => path === '/keys').length
  }

  /** What a token says that is good for five minutes. */
  claims(more: Claims = {}): Claims {
    const now = seconds()
    const ordinary = { iss: this.issuer, aud: this.#audience, sub: 'ada', iat: now, exp: now + 300 }
    return { ...ordinary, scope: 'memory:read memory:write', ...more }
  }

  token(more: Claims = {}, header: Claims = {}): string {
    return signedToken(this.claims(more), this.key, header)
  }

  protected override answer({ method, path, headers, text }: SeenRequest): Reply {
    if (method === 'GET' && path === this.metadataPath) return { status: 200, body: this.#metadata() }
    if (method === 'GET' && path === '/keys') return { status: 200, body: { keys: this.#published() } }
    if (method === 'POST' && path === '/token')
      return { status: 200, body: this.#grant(headers.authorization ?? '', new URLSearchParams(text)) }
    throw new Refusal(404, { error: 'not_found' })
  }

  #metadata() {
    return {
      issuer: this.issuer,
      authorization_endpoint: `${this.issuer}/authorize`,
      token_endpoint: `${this.issuer}/token`,
      jwks_uri: `${this.issuer}/keys`,
      response_types_supported: ['code'],
      grant_types_supported: ['client_credentials'],
      token_endpoint_auth_methods_supported: ['client_secret_basic'],
      code_challenge_methods_supported: ['S256'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
    }
  }

  #published() {
    return this.keys.map(({ algorithm, id, publicKey }) => ({
      ...publicKey.export({ format: 'jwk' }),
      kid: id,
      alg: algorithm,
      use: 'sig',
    }))
  }

  #grant(authorization: string, form: URLSearchParams) {
    const [id = '', secret = ''] = Buffer.from(authorization.replace(/^Basic /, ''), 'base64')
      .toString()
      .split(':')
    if (secret === '' || this.clients.get(id) !== secret) throw new Refusal(401, { error: 'invalid_client' })
    const { resource, scope = '' } = tokenRequest.parse(Object.fromEntries(form))
    if (resource !== this.#audience) throw new Refusal(400, { error: 'invalid_target' })
    return {
      access_token: this.token({ sub: id, aud: resource, scope }),
      token_type: 'Bearer',
      expires_in: 300,
      scope,
    }
  }
}
