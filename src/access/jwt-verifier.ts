import { createHash } from 'node:crypto'

import { decodeJwt, errors, jwtVerify, type JWTPayload } from 'jose'

import { describeForLog } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Log } from '../log.ts'
import { scopes as allScopes, type Scope } from '../model/access.ts'
import { BoundedMap } from '../model/bounded-map.ts'
import type { Database } from '../store/database.ts'
import { IssuerKeys } from './issuer-keys.ts'
import { admitSubject } from './subjects.ts'
import { isOver, type Access, type Verdict } from './verdict.ts'

/** Whose tokens are taken, and what must be in them. */
export interface Issuer {
  /** Exactly as tokens have it. */
  readonly issuer: string
  /** Exactly as tokens have it. */
  readonly audience: string
  /** Where the issuer publishes its keys; undefined to ask its metadata. */
  readonly jwksUrl: string | undefined
  /** The claim that names the tenant; undefined where all act for `tenant`. */
  readonly tenantClaim: string | undefined
  /** By name; undefined for the first. */
  readonly tenant: string | undefined
}

/** Of all kinds of which the issuer publishes one half only. What a token is signed with may never be what everybody knows. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']

/** How long a token that was good is believed: somebody who is disabled is refused after this at the latest. */
const believedMs = 5_000
const rememberedMax = 10_000

/** Says what an access token of an authorization server lets its bearer do. */
export class JwtVerifier {
  readonly #issuer: Issuer
  readonly #database: Database
  readonly #log: Log
  readonly #keys: IssuerKeys
  readonly #good = new BoundedMap<string, { readonly access: Access; readonly atMs: number }>(rememberedMax)

  constructor(issuer: Issuer, database: Database, log: Log) {
    this.#issuer = issuer
    this.#database = database
    this.#log = log
    this.#keys = new IssuerKeys({ ...issuer, log })
  }

  /** UnavailableError where the issuer gives no keys, or the store does not answer: nobody is let in then. */
  async verify(token: string): Promise<Verdict> {
    const key = createHash('sha256').update(token).digest('base64')
    const known = this.#good.get(key)
    if (known !== undefined && performance.now() - known.atMs < believedMs && !isOver(known.access, Date.now()))
      return { kind: 'granted', by: 'issuer', access: known.access }
    const claims = await this.#claimsOf(token)
    if (typeof claims === 'string') return { kind: 'invalid', reason: claims }
    const verdict = await this.#admit(claims)
    if (verdict.kind === 'granted') this.#good.set(key, { access: verdict.access, atMs: performance.now() })
    return verdict
  }

  /** What the token says, or why it does not count. */
  async #claimsOf(token: string): Promise<JWTPayload | string> {
    const { issuer, audience } = this.#issuer
    try {
      // The keys of the issuer are not asked for because of somebody else's token.
      if (decodeJwt(token).iss !== issuer) return 'it is not of the authorization server of this server'
      const { payload } = await jwtVerify(token, this.#keys.find, {
        issuer,
        audience,
        algorithms,
        clockTolerance: limits.clockSkewMs / 1_000,
        requiredClaims: ['exp', 'sub'],
      })
      return payload
    } catch (error) {
      if (error instanceof errors.JOSEError) return reasonOf(error)
      if (!(error instanceof TypeError)) throw error
      this.#log.warn(`a token of ${issuer} cannot be checked: ${describeForLog(error)}`)
      return 'it is signed with a key that cannot be used'
    }
  }

  async #admit(claims: JWTPayload): Promise<Verdict> {
    const { issuer, tenantClaim } = this.#issuer
    const subject = claims.sub
    if (!isName(subject))
      return { kind: 'invalid', reason: `its subject must have 1 to ${limits.subjectCharactersMax} characters` }
    const tenant = tenantClaim === undefined ? this.#issuer.tenant : claims[tenantClaim]
    if (tenant !== undefined && !isName(tenant)) return { kind: 'forbidden', reason: 'its tenant cannot be read' }
    if (tenant === undefined && tenantClaim !== undefined)
      return { kind: 'forbidden', reason: `it names no tenant in its claim "${tenantClaim}"` }
    const admitted = await admitSubject(this.#database, { issuer, subject, tenant })
    if (typeof admitted === 'string') return { kind: 'forbidden', reason: admitted }
    const expiresMs = Math.min((claims.exp ?? 0) * 1_000 + limits.clockSkewMs, lastMs)
    const expiresAt = new Date(expiresMs).toISOString()
    return { kind: 'granted', by: 'issuer', access: { ...admitted, scopes: scopesOf(claims), expiresAt } }
  }
}

/** The year 9999: later times are not written alike everywhere. */
const lastMs = Date.UTC(9_999, 0)

/** What the store can keep and find again. */
function isName(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    value.length <= limits.subjectCharactersMax &&
    value.isWellFormed() &&
    !value.includes('\0')
  )
}

/** Issuers write them as one text or as a list, in one of two claims. */
function scopesOf(claims: JWTPayload): readonly Scope[] {
  const given = [claims['scope'], claims['scp']].flatMap((value): unknown[] =>
    typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? value : [],
  )
  return allScopes.filter((scope) => given.includes(scope))
}

function reasonOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return 'it has expired'
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'aud') return 'it was not made for this server'
    if (error.claim === 'nbf' || error.claim === 'iat') return 'it is not good yet'
    return `its claim "${error.claim}" is missing or wrong`
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return 'it is signed in a way that proves nothing'
  if (error instanceof errors.JWKSNoMatchingKey) return 'it is signed with a key that its issuer does not publish'
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'its signature is wrong'
  return 'it is not a token that this server can read'
}
