import type { JwtVerifier } from './jwt-verifier.ts'
import type { TokenVerifier } from './token-verifier.ts'
import type { Verdict } from './verdict.ts'

/** Says what a bearer token of any kind lets its bearer do: one of ours, or one of the authorization server. */
export class BearerVerifier {
  readonly #own: TokenVerifier
  readonly #jwts: JwtVerifier | undefined

  constructor(own: TokenVerifier, jwts?: JwtVerifier) {
    this.#own = own
    this.#jwts = jwts
  }

  /** UnavailableError where it cannot be found out now: nobody is let in then. */
  async verify(token: string): Promise<Verdict> {
    if (this.#jwts !== undefined && isJwt(token)) return await this.#jwts.verify(token)
    const { access, former } = await this.#own.verify(token)
    return access === undefined
      ? {
          kind: 'invalid',
          reason: 'it is unknown, expired or revoked, or its tenant is disabled',
          ...(former === undefined ? {} : { former: { ...former, tokenId: former.id } }),
        }
      : { kind: 'granted', by: 'us', access: { ...access, tokenId: access.id } }
  }
}

/** In its outer form: three parts, of which the first begins as a JSON object does. */
function isJwt(token: string): boolean {
  return /^eyJ[\w-]*\.[\w-]*\.[\w-]*$/.test(token)
}
