import type { Scope } from '../model/access.ts'

const wellKnown = '/.well-known/oauth-protected-resource'

/** What ordinary use takes; a client asks for more when it is told that it needs more. */
export const ordinaryScopes: readonly Scope[] = ['memory:read', 'memory:write']

/** What clients are told so that they find the authorization server and get a token for this one (RFC 9728). */
export class ProtectedResource {
  readonly issuer: string
  readonly #audience: string

  /** `audience` is the address by which clients reach this server. */
  constructor({ issuer, audience }: { readonly issuer: string; readonly audience: string }) {
    this.issuer = issuer
    this.#audience = audience
  }

  get metadata() {
    return {
      resource: this.#audience,
      authorization_servers: [this.issuer],
      scopes_supported: ordinaryScopes,
      bearer_methods_supported: ['header'],
      resource_name: 'Verbatim',
    }
  }

  /** Where the metadata is, as clients reach it: the path of the resource comes behind the well-known one. */
  get metadataUrl(): string {
    const { origin, pathname } = new URL(this.#audience)
    return `${origin}${wellKnown}${pathname === '/' ? '' : pathname}`
  }

  /** Where it is on this server; a proxy in front may have changed the path. */
  get metadataPaths(): readonly string[] {
    return [...new Set([wellKnown, `${wellKnown}/mcp`, new URL(this.metadataUrl).pathname])]
  }
}
