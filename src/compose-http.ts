import { BearerVerifier } from './access/bearer-verifier.ts'
import { ensureFirstToken, type FirstToken } from './access/first-token.ts'
import { refuseTenantsWithoutWall, tenantIdOf } from './access/tenants.ts'
import { TokenVerifier } from './access/token-verifier.ts'
import { isLoopback, type Config } from './config.ts'
import { HttpServer, type HttpServerOptions } from './http/http-server.ts'
import { MetricsServer, type MetricsSource } from './http/metrics-server.ts'
import { ProtectedResource } from './http/protected-resource.ts'
import type { Log } from './log.ts'
import type { ToolSelection } from './mcp/tool-list.ts'
import { localCaller, type Caller } from './model/access.ts'
import type { Observer } from './ports/observer.ts'
import { prepareHome } from './store/embedded/home.ts'
import type { Verbatim } from './verbatim.ts'
import { packageVersion } from './version.ts'

export interface HttpOptions {
  readonly host: string
  /** 0 for any that is free. */
  readonly port: number
  /** Lets every program of this machine in without a token. */
  readonly isOpenToAll: boolean
  readonly tools: ToolSelection
  readonly offer?: HttpServerOptions['offer']
  readonly log: Log
  readonly observer: Observer
  readonly metrics: MetricsSource
}

export interface HttpService {
  readonly server: HttpServer
  /** The token of whoever runs the server; undefined where none is asked for. */
  readonly firstToken: FirstToken | undefined
}

const loopbackNames = ['localhost', '127.0.0.1', '[::1]']

/** Puts together what `verbatim serve` serves, on a store that is open, and listens. */
export async function startHttp(config: Config, verbatim: Verbatim, options: HttpOptions): Promise<HttpService> {
  const { host, port, tools, offer, log, observer, metrics } = options
  const { oauth } = config
  await refuseTenantsWithoutWall(verbatim.stores.database)
  const caller = localCaller('serve', await tenantIdOf(verbatim.stores.database, config.tenant))
  await verbatim.stores.database.vault.check(caller.tenantId)
  const firstToken = options.isOpenToAll ? undefined : await firstTokenOf(config, verbatim, caller)
  const server = await HttpServer.start({
    host,
    port,
    version: packageVersion(),
    verbatim,
    gate: {
      tenantId: caller.tenantId,
      tokens: options.isOpenToAll ? undefined : await verifierOf(config, verbatim, log),
      resource: oauth === undefined || options.isOpenToAll ? undefined : new ProtectedResource(oauth),
      hosts: isLoopback(host) ? [...loopbackNames, host, ...namesBehindProxy(config)] : undefined,
      origins: config.http.origins,
    },
    traffic: config.http,
    tools,
    offer,
    servesMcp: config.role !== 'worker',
    log,
    observer,
    metrics,
  })
  return { server, firstToken }
}

/** Serves the metrics at their own address, where the settings name one. */
export async function startMetrics(
  { http }: Config,
  source: MetricsSource,
  log: Log,
): Promise<MetricsServer | undefined> {
  return http.metrics === undefined ? undefined : await MetricsServer.start(http.metrics, source, log)
}

async function firstTokenOf({ home }: Config, { stores }: Verbatim, caller: Caller): Promise<FirstToken> {
  prepareHome(home)
  return await ensureFirstToken(stores.database, caller, home)
}

async function verifierOf({ oauth, tenant }: Config, { stores }: Verbatim, log: Log): Promise<BearerVerifier> {
  const own = new TokenVerifier(stores.database, log)
  if (oauth === undefined) return new BearerVerifier(own)
  const { JwtVerifier } = await import('./access/jwt-verifier.ts')
  return new BearerVerifier(own, new JwtVerifier({ ...oauth, tenant }, stores.database, log))
}

/** A proxy in front may pass on the name that it is reached by. */
function namesBehindProxy({ http, oauth }: Config): string[] {
  return [...http.origins, ...(oauth === undefined ? [] : [oauth.audience])].map((url) => new URL(url).hostname)
}
