import { z } from 'zod'

import { InputError } from '../errors.ts'
import { isLoopback } from './http-settings.ts'

export const oauthSettingsShape = {
  VERBATIM_OAUTH_ISSUER: z
    .string()
    .optional()
    .describe(
      'The OAuth 2.1 authorization server whose access tokens `verbatim serve` takes, besides its own: its issuer, exactly as it is in the tokens, as in https://login.example.org/realms/main',
    ),
  VERBATIM_OAUTH_AUDIENCE: z
    .string()
    .optional()
    .describe(
      'The address by which clients reach this server, as in https://memory.example.org/mcp. Tokens must be made for it (`aud`). Needed with VERBATIM_OAUTH_ISSUER',
    ),
  VERBATIM_OAUTH_JWKS_URL: z
    .string()
    .optional()
    .describe(
      'Where the issuer publishes its keys. Default: what its metadata says (RFC 8414, OpenID Connect Discovery)',
    ),
  VERBATIM_OAUTH_TENANT_CLAIM: z
    .string()
    .min(1)
    .optional()
    .describe(
      'The claim of a token that holds the name of its tenant; a token that names no tenant of the store is refused. Default: all tokens act for the first tenant',
    ),
} as const

/** Whose tokens are taken, and what must be in them. */
export interface OAuthSettings {
  /** Exactly as tokens have it. */
  readonly issuer: string
  /** Exactly as tokens have it; a URL. */
  readonly audience: string
  readonly jwksUrl: string | undefined
  readonly tenantClaim: string | undefined
}

/** Undefined where no issuer is set. Throws InputError for an address that cannot be trusted, and for half of a configuration. */
export function readOAuthSettings(
  settings: z.infer<z.ZodObject<typeof oauthSettingsShape>>,
): OAuthSettings | undefined {
  const {
    VERBATIM_OAUTH_ISSUER: issuer,
    VERBATIM_OAUTH_AUDIENCE: audience,
    VERBATIM_OAUTH_JWKS_URL: jwksUrl,
    VERBATIM_OAUTH_TENANT_CLAIM: tenantClaim,
  } = settings
  if (issuer === undefined) {
    const other = Object.entries(settings).find(([name, value]) => name in oauthSettingsShape && value !== undefined)
    if (other === undefined) return undefined
    throw new InputError(`Cannot start as ${other[0]} is set and VERBATIM_OAUTH_ISSUER is not`, {
      remedy: 'Set VERBATIM_OAUTH_ISSUER to the authorization server, or unset the other',
    })
  }
  if (audience === undefined)
    throw new InputError('Cannot start as VERBATIM_OAUTH_ISSUER is set and VERBATIM_OAUTH_AUDIENCE is not', {
      remedy: 'Set it to the address by which clients reach this server, as in https://memory.example.org/mcp',
    })
  checkAddress('VERBATIM_OAUTH_ISSUER', issuer)
  checkAddress('VERBATIM_OAUTH_AUDIENCE', audience)
  if (jwksUrl !== undefined) checkAddress('VERBATIM_OAUTH_JWKS_URL', jwksUrl, { takesQuery: true })
  return { issuer, audience, jwksUrl, tenantClaim }
}

/** Keys that come by plain HTTP could be anybody's. */
function checkAddress(name: string, text: string, { takesQuery = false } = {}): void {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isSafe =
    url !== undefined &&
    (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname.replaceAll(/[[\]]/g, ''))))
  if (isSafe && url.username === '' && url.password === '' && !text.includes('#') && (takesQuery || url.search === ''))
    return
  throw new InputError(`Cannot start as "${text}" in ${name} is not an https address that can be used`, {
    remedy: `Write it as in https://login.example.org${takesQuery ? '/keys' : ', without "?" and "#"'}; http is taken for this machine only`,
  })
}
