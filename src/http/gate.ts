import { localhostAllowedOrigins, validateHostHeader, validateOriginHeader } from '@modelcontextprotocol/server'

import type { TokenAccess, TokenVerifier } from '../access/token-verifier.ts'
import { UnavailableError } from '../errors.ts'
import type { Log } from '../log.ts'
import { refusal } from '../mcp/http.ts'
import { firstTenantId, scopes as allScopes, type Caller, type Scope } from '../model/access.ts'

/** Who may come in, and from where. */
export interface GateOptions {
  /** Absent where everybody on this machine may do everything. */
  readonly tokens?: TokenVerifier | undefined
  /** Host names that requests may be addressed to; absent for any. */
  readonly hosts?: readonly string[] | undefined
  /** Origins of web pages of other machines that may send requests. */
  readonly origins: readonly string[]
  readonly log: Log
}

/** What was let in. */
export interface Admitted {
  /** Without the client's name, which the protocol tells. */
  readonly caller: Omit<Caller, 'client'>
  readonly scopes: readonly Scope[]
}

/** Lets a request in or says why not. */
export class Gate {
  readonly #options: GateOptions

  constructor(options: GateOptions) {
    this.#options = options
  }

  /** A page of another site, or a name that leads to this machine by another's will, gets no further. */
  checkOrigin(request: Request): Response | undefined {
    const { hosts } = this.#options
    const host = hosts === undefined ? undefined : validateHostHeader(request.headers.get('host'), [...hosts])
    if (host?.ok === false) return refusal(403, `This server is not to be reached by this name. ${hostRemedy}`)
    const origin = request.headers.get('origin')
    if (origin !== null && !this.isOwnOrigin(origin))
      return refusal(403, `Web pages of this origin may not use this server. ${originRemedy}`)
    return undefined
  }

  /** Of this machine, or one that may use the server. */
  isOwnOrigin(origin: string): boolean {
    if (this.#options.origins.includes(origin)) return true
    return validateOriginHeader(origin, localhostAllowedOrigins()).ok
  }

  /** Whoever the bearer token names. */
  async admit(request: Request): Promise<Admitted | Response> {
    const { tokens, log } = this.#options
    if (tokens === undefined) return { caller: { tenantId: firstTenantId, principal: 'local' }, scopes: allScopes }
    const token = bearerOf(request)
    if (token === undefined) return unauthorized('An access token is needed: send it as "Authorization: Bearer vbt_…"')
    try {
      const access = await tokens.verify(token)
      if (access === undefined) return unauthorized('This access token is unknown, expired or revoked', 'invalid_token')
      return admittedBy(access)
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
      log.warn(`no token can be checked: ${error.message}`)
      return refusal(503, 'The store does not answer now: try again', { 'retry-after': '5' })
    }
  }
}

/** Who administers a tenant sees all of its sessions, whoever they were shared with. */
function admittedBy({ tenantId, principal, principalId, scopes }: TokenAccess): Admitted {
  const isAdministrator = scopes.includes('memory:admin')
  return { caller: { tenantId, principal, ...(isAdministrator ? {} : { principalId }) }, scopes }
}

const hostRemedy = 'Use localhost, or the address that it was started with'
const originRemedy = 'VERBATIM_HTTP_ORIGINS names those that may'

function bearerOf(request: Request): string | undefined {
  return /^Bearer +([\w.~+/-]+=*) *$/i.exec(request.headers.get('authorization') ?? '')?.[1]
}

function unauthorized(message: string, error?: string): Response {
  const challenge = `Bearer realm="verbatim"${error === undefined ? '' : `, error="${error}"`}`
  return refusal(401, `${message}. "verbatim token create" makes one`, { 'www-authenticate': challenge })
}
