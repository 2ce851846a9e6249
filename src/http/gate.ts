import { localhostAllowedOrigins, validateHostHeader, validateOriginHeader } from '@modelcontextprotocol/server'

import type { BearerVerifier } from '../access/bearer-verifier.ts'
import { isOver, type Access, type Verdict } from '../access/verdict.ts'
import { UnavailableError } from '../errors.ts'
import type { Log } from '../log.ts'
import { refusal } from '../mcp/http.ts'
import { scopes as allScopes, type Caller, type Scope } from '../model/access.ts'
import { insufficientScope, unauthorized } from './challenge.ts'
import { ordinaryScopes, type ProtectedResource } from './protected-resource.ts'

/** Who may come in, and from where. */
export interface GateOptions {
  /** Absent where everybody on this machine may do everything. */
  readonly tokens?: BearerVerifier | undefined
  /** Whose memory everybody uses then. */
  readonly tenantId: number
  /** What leads clients to the authorization server, where there is one. */
  readonly resource?: ProtectedResource | undefined
  /** Host names that requests may be addressed to; absent for any. */
  readonly hosts?: readonly string[] | undefined
  /** Origins of web pages of other machines that may send requests. */
  readonly origins: readonly string[]
  readonly log: Log
  /** Told of those who are known and were not let in. */
  readonly noteDenied?: ((caller: Omit<Caller, 'client'>) => void) | undefined
}

/** What was let in. */
export interface Admitted {
  /** Without the client's name, which the protocol tells. */
  readonly caller: Omit<Caller, 'client'>
  readonly scopes: readonly Scope[]
  /** Answers what the scopes do not allow, so that the client can get more; undefined where it cannot. */
  readonly stepUp: ((missing: readonly Scope[]) => Response) | undefined
  /** Whether it would still be let in; true while that cannot be found out. */
  readonly isStillGood: () => Promise<boolean>
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
    const { tokens, resource } = this.#options
    if (tokens === undefined) return everybodyOf(this.#options.tenantId)
    const token = bearerOf(request)
    if (token === undefined)
      return unauthorized('An access token is needed: send it as "Authorization: Bearer …"', { resource })
    const verdict = await this.#verify(tokens, token)
    if (verdict === undefined)
      return refusal(503, 'The access token cannot be checked now: try again', { 'retry-after': '5' })
    if (verdict.kind === 'invalid') {
      if (verdict.former !== undefined) this.#options.noteDenied?.(callerOf(verdict.former, 'us'))
      return unauthorized(`This access token is refused as ${verdict.reason}`, { error: 'invalid_token', resource })
    }
    if (verdict.kind === 'forbidden')
      return refusal(403, `This access token is not let in as ${verdict.reason}. Ask whoever runs this server`)
    const { by, access } = verdict
    const stepUp = by === 'issuer' ? (missing: readonly Scope[]) => insufficientScope(missing, resource) : undefined
    if (stepUp !== undefined && access.scopes.length === 0) return stepUp(ordinaryScopes)
    return {
      caller: callerOf(access, by),
      scopes: scopesOf(access),
      stepUp,
      isStillGood: () => this.#isStillGood(tokens, token, access),
    }
  }

  /** Undefined where it cannot be found out. */
  async #verify(tokens: BearerVerifier, token: string): Promise<Verdict | undefined> {
    try {
      return await tokens.verify(token)
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
      this.#options.log.warn(`a token cannot be checked: ${error.message}`)
      return undefined
    }
  }

  async #isStillGood(tokens: BearerVerifier, token: string, access: Access): Promise<boolean> {
    if (isOver(access, Date.now())) return false
    const verdict = await this.#verify(tokens, token)
    return verdict === undefined || verdict.kind === 'granted'
  }
}

function everybodyOf(tenantId: number): Admitted {
  return {
    caller: { tenantId, principal: 'local', door: { origin: 'http', auth: 'none' } },
    scopes: allScopes,
    stepUp: undefined,
    isStillGood: async () => true,
  }
}

/** Who administers a tenant sees all of its sessions, whoever they were shared with. */
function callerOf(
  { tenantId, principal, principalId, scopes, tokenId }: Access,
  by: 'us' | 'issuer',
): Admitted['caller'] {
  const door = { origin: 'http', auth: by === 'us' ? 'token' : 'oauth', tokenId } as const
  return {
    tenantId,
    principal,
    door,
    ...(scopes.includes('memory:admin') ? {} : { principalId }),
    ...(readsRedacted(scopes) ? { view: 'redacted' } : {}),
    ...(scopes.includes('memory:read') || scopes.includes('memory:redacted') ? {} : { readsNothing: true }),
  }
}

/** Whoever may read, but not all of it. */
function readsRedacted(scopes: readonly Scope[]): boolean {
  return scopes.includes('memory:redacted') && !scopes.includes('memory:read')
}

/** What reads is open to both kinds of readers; what they see is told apart by the caller's view. */
function scopesOf({ scopes }: Access): readonly Scope[] {
  return readsRedacted(scopes) ? [...scopes, 'memory:read'] : scopes
}

const hostRemedy = 'Use localhost, or the address that it was started with'
const originRemedy = 'VERBATIM_HTTP_ORIGINS names those that may'

function bearerOf(request: Request): string | undefined {
  return /^Bearer +([\w.~+/-]+=*) *$/i.exec(request.headers.get('authorization') ?? '')?.[1]
}
