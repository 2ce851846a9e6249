import { freePort } from '../../support/postgres.ts'
import { AuthorizationServer } from '../../support/stand-ins/authorization-server.ts'
import type { Home } from './home.ts'
import { HttpHome } from './http-home.ts'

interface OAuthOptions {
  /** Settings, given the issuer's address. */
  readonly env?: (issuer: string) => Readonly<Record<string, string>>
  /** Changes the authorization server before the other starts. */
  readonly prepare?: (issuer: AuthorizationServer) => void
}

/** An authorization server, and a `verbatim serve` of a home that takes its tokens. */
export class OAuthHome implements AsyncDisposable {
  readonly issuer: AuthorizationServer
  readonly http: HttpHome
  /** The address by which clients reach the server, as tokens have it. */
  readonly audience: string

  private constructor(issuer: AuthorizationServer, http: HttpHome, audience: string) {
    this.issuer = issuer
    this.http = http
    this.audience = audience
  }

  static async start(home: Home, { env, prepare }: OAuthOptions = {}): Promise<OAuthHome> {
    // The address of a server is in its settings, so it must be known before the server is there.
    const port = await freePort()
    const audience = `http://127.0.0.1:${port}/mcp`
    const issuer = await AuthorizationServer.start(audience)
    prepare?.(issuer)
    const http = await HttpHome.start(home, {
      args: ['--port', String(port)],
      env: { VERBATIM_OAUTH_ISSUER: issuer.issuer, VERBATIM_OAUTH_AUDIENCE: audience, ...env?.(issuer.issuer) },
      keep: true,
    })
    return new OAuthHome(issuer, http, audience)
  }

  /** A request that lists the tools. */
  async post(token: string, options: Parameters<HttpHome['post']>[0] = {}): Promise<Response> {
    return await this.http.post({ ...options, headers: { authorization: `Bearer ${token}`, ...options.headers } })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.http.stop()
    await this.issuer.stop()
  }
}
