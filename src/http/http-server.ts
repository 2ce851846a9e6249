import { once } from 'node:events'
import type { Server } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { cors } from 'hono/cors'

import { describeForLog } from '../errors.ts'
import type { Log } from '../log.ts'
import { refusal } from '../mcp/http.ts'
import type { ToolSelection } from '../mcp/tool-list.ts'
import { firstTenantId } from '../model/access.ts'
import type { Observer } from '../ports/observer.ts'
import { syncPath } from '../sync/peer.ts'
import type { Verbatim } from '../verbatim.ts'
import { cannotListen } from './cannot-listen.ts'
import { Gate, type GateOptions } from './gate.ts'
import { McpRoute, type McpRouteOptions } from './mcp-route.ts'
import type { MetricsSource } from './metrics-server.ts'
import { observeRequests, type RequestVariables } from './observe-requests.ts'
import { SyncRoute } from './sync-route.ts'
import { Traffic, type TrafficOptions } from './traffic.ts'

export interface HttpServerOptions {
  readonly host: string
  /** 0 for any that is free. */
  readonly port: number
  readonly version: string
  readonly verbatim: Verbatim
  readonly gate: Omit<GateOptions, 'log'>
  readonly traffic: Omit<TrafficOptions, 'observer' | 'log'>
  readonly tools: ToolSelection
  readonly offer?: McpRouteOptions['offer']
  /** Whether MCP is served; else only the state of the process can be asked. */
  readonly servesMcp: boolean
  readonly log: Log
  readonly observer: Observer
  readonly metrics: MetricsSource
}

const readyMs = 2_000

/** MCP over Streamable HTTP, and what an operator asks of a process. */
export class HttpServer {
  readonly #server: Server
  readonly #traffic: Traffic
  readonly #answering = new Set<Promise<unknown>>()
  #isLeaving = false

  private constructor(options: HttpServerOptions) {
    this.#traffic = new Traffic({ ...options.traffic, observer: options.observer, log: options.log })
    this.#server = serveOn(this.#routes(options), options)
  }

  /** Listens when the promise resolves. UnavailableError where the address cannot be had. */
  static async start(options: HttpServerOptions): Promise<HttpServer> {
    const server = new HttpServer(options)
    try {
      if (!server.#server.listening) await once(server.#server, 'listening')
    } catch (error) {
      throw cannotListen(options, error, 'Choose another with --port or VERBATIM_HTTP_PORT')
    }
    // A connection that fails is its client's to try again.
    server.#server.on('error', (error) => options.log.warn(`http: ${describeForLog(error)}`))
    return server
  }

  get port(): number {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('The server is not listening')
    return address.port
  }

  /** Takes no more requests, finishes those that it has begun, at most for `waitMs`, and closes. */
  async close(waitMs: number): Promise<void> {
    this.#isLeaving = true
    this.#traffic.turnAway()
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeIdleConnections()
    await Promise.race([Promise.allSettled(this.#answering), sleep(waitMs, undefined, { ref: false })])
    // Answers are handed to their sockets before those are closed.
    await sleep(50)
    this.#server.closeAllConnections()
    await closed
  }

  #routes({ gate: gateOptions, log, ...options }: HttpServerOptions): Hono<RequestVariables> {
    const app = new Hono<RequestVariables>()
    const gate = new Gate({
      ...gateOptions,
      log,
      noteDenied: (caller) =>
        options.verbatim.noteDenied(
          { ...caller, client: 'unknown' },
          { action: 'call.request', tool: 'http' },
          'token',
        ),
    })
    app.use(observeRequests(options.observer, log))
    app.use(async (context, next) => {
      const refused = gate.checkOrigin(context.req.raw)
      if (refused !== undefined) return refused
      await next()
      // `context.header` would make a new answer, with its body as a stream.
      context.res.headers.set('x-content-type-options', 'nosniff')
      return undefined
    })
    app.get('/healthz', (context) => context.json({ status: 'ok', version: options.version }))
    app.get('/readyz', async (context) => {
      const reason = this.#isLeaving ? 'the process is leaving' : await reasonNotReady(options.verbatim, log)
      return reason === undefined
        ? context.json({ status: 'ready' })
        : context.json({ status: 'not ready', reason }, 503)
    })
    app.get('/metrics', (context) => answerMetrics(context.req.raw, gate, options.metrics))
    const ownOrigin = (origin: string) => (gate.isOwnOrigin(origin) ? origin : undefined)
    // Browsers ask first, without a token; a page of a foreign origin has not come this far.
    const forBrowsers = cors({
      origin: ownOrigin,
      allowMethods: ['POST'],
      exposeHeaders: ['www-authenticate', 'retry-after'],
      maxAge: 600,
    })
    // Who names no origin has no use for these headers, which cost a copy of each answer.
    app.use('/mcp', async (context, next) =>
      context.req.header('origin') === undefined ? await next() : await forBrowsers(context, next),
    )
    if (options.servesMcp) {
      this.#routeMcp(app, new McpRoute({ ...options, gate, traffic: this.#traffic }))
      const { readOnly } = options.tools
      this.#routeSync(app, new SyncRoute({ ...options, gate, traffic: this.#traffic, readOnly }))
    }
    const { resource } = gateOptions
    for (const path of resource?.metadataPaths ?? []) {
      app.use(path, cors({ origin: ownOrigin, allowMethods: ['GET'], maxAge: 600 }))
      app.get(path, (context) => context.json(resource?.metadata))
    }
    app.notFound(() =>
      refusal(404, 'There is nothing here: MCP is at /mcp, the state of the process at /healthz and /readyz'),
    )
    app.onError((error, context) => {
      context.get('log').error('http: a request failed', error)
      return refusal(500, 'Internal error')
    })
    return app
  }

  #routeMcp(app: Hono<RequestVariables>, route: McpRoute): void {
    app.all('/mcp', (context) => this.#answer(() => route.answer(context.req.raw, context.get('log'))))
  }

  #routeSync(app: Hono<RequestVariables>, route: SyncRoute): void {
    app.post(`${syncPath}/:question`, (context) =>
      this.#answer(() => route.answer(context.req.raw, context.req.param('question'), context.get('log'))),
    )
  }

  async #answer(begin: () => Promise<Response>): Promise<Response> {
    if (this.#isLeaving) return refusal(503, 'This process is leaving: try again', { 'retry-after': '1' })
    const answer = begin()
    this.#answering.add(answer)
    return await answer.finally(() => this.#answering.delete(answer))
  }
}

function serveOn(app: Hono<RequestVariables>, { host, port }: HttpServerOptions): Server {
  const server = serve({ fetch: app.fetch, hostname: host, port })
  if (!('closeIdleConnections' in server)) throw new Error('Expected a server of HTTP/1.1')
  return server
}

/** They tell how much a store is used, and when: for its administrators. */
async function answerMetrics(request: Request, gate: Gate, metrics: MetricsSource): Promise<Response> {
  const admitted = await gate.admit(request)
  if (admitted instanceof Response) return admitted
  if (!admitted.scopes.includes('memory:admin') || admitted.caller.tenantId !== firstTenantId)
    return refusal(
      403,
      'The metrics are of the whole server, for tokens of its first tenant with the scope memory:admin: verbatim token create --scopes admin',
    )
  return new Response(await metrics.text(), { headers: { 'content-type': metrics.contentType } })
}

/** Whether the store answers. */
async function reasonNotReady(verbatim: Verbatim, log: Log): Promise<string | undefined> {
  // Who asks need not be known: where the store is, and what it says, is for the log.
  const answer = verbatim.stores.database
    .run((sql) => sql`select 1`)
    .then(
      () => undefined,
      (error: unknown) => {
        log.warn(`not ready: ${describeForLog(error)}`)
        return 'the store does not answer'
      },
    )
  return await Promise.race([answer, sleep(readyMs, `the store did not answer within ${readyMs} ms`, { ref: false })])
}
