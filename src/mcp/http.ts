import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'
import {
  createMcpHandler,
  isJsonContentType,
  isLegacyRequest,
  type ServerEvent,
  type ServerEventBus,
} from '@modelcontextprotocol/server'

import { describeForLog } from '../errors.ts'
import { createLegacyServer } from './kit-legacy.ts'
import { clientSchema, createModernServer } from './kit-modern.ts'
import { listenSchema } from './listening.ts'
import { ProtocolServer, type InTurn, type ProtocolOptions } from './protocol.ts'

const parseErrorCode = -32_700
const invalidRequestCode = -32_600
const batchMax = 100
/** A request that is cancelled gets no answer, and one that has none by then gets this one. */
const answerMs = 120_000

export interface HttpProtocolOptions extends ProtocolOptions {
  /** Makes what answers one request; the product's own where absent. */
  readonly makeProtocol?: (options: ProtocolOptions) => ProtocolServer
  /** Looks at a request, or a batch of them, before anything is done, and gives the answer where it is not to be done. */
  readonly refuse?: (parsedBody: unknown) => Response | undefined
  /** Has it answered when its turn has come; absent where each is answered at once. */
  readonly wait?: (answer: (inTurn?: InTurn) => Promise<Response>) => Promise<Response>
}

/** A refusal of a request before any server has seen it, in the form of JSON-RPC. */
export function refusal(status: number, message: string, headers: Readonly<Record<string, string>> = {}): Response {
  const code = status === 400 ? parseErrorCode : invalidRequestCode
  return Response.json({ jsonrpc: '2.0', id: null, error: { code, message } }, { status, headers })
}

/**
 * Answers one request of Streamable HTTP, in whichever revision of the protocol it is. Each request gets a server of its own:
 * nothing of one caller is there when the next one comes, and no replica needs to remember a client.
 */
export async function answerHttp(request: Request, body: Uint8Array, options: HttpProtocolOptions): Promise<Response> {
  if (request.method !== 'POST')
    return refusal(405, 'Only POST: this server keeps no sessions and no streams of its own', { allow: 'POST' })
  if (!isJsonContentType(request.headers.get('content-type') ?? ''))
    return refusal(415, 'The Content-Type must be application/json')
  let parsedBody: unknown
  try {
    parsedBody = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    return refusal(400, 'The body is not JSON in UTF-8')
  }
  if (Array.isArray(parsedBody) && parsedBody.length > batchMax)
    return refusal(400, `A batch may have ${batchMax} requests`)
  const refused = options.refuse?.(parsedBody)
  if (refused !== undefined) return refused
  const { wait = async (answer) => await answer() } = options
  const isLegacy = await isLegacyRequest(request, parsedBody)
  return await wait(async (inTurn) =>
    isLegacy
      ? await answerLegacy(request, parsedBody, { ...options, inTurn })
      : await answerModern(request, parsedBody, { ...options, inTurn }),
  )
}

function protocolOf({ makeProtocol, ...options }: HttpProtocolOptions): ProtocolServer {
  return makeProtocol?.(options) ?? new ProtocolServer(options)
}

const noAnswer =
  'There was no answer in time. What was asked for may have been done: a message that is saved again with the same session_id and message_id is stored once'

async function answerLegacy(request: Request, parsedBody: unknown, options: HttpProtocolOptions): Promise<Response> {
  const protocol = protocolOf({ ...options, notices: 'none' })
  const server = createLegacyServer(protocol)
  server.onerror = (error) => options.log.warn(`protocol: ${describeForLog(error)}`)
  const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true })
  await server.connect(transport)
  const wait = endOfWait(request.signal)
  try {
    const answer = await Promise.race([transport.handleRequest(request, { parsedBody }), wait.over])
    return answer ?? refusal(503, noAnswer)
  } finally {
    wait.stop()
    // The answer is complete: it was made whole and not as a stream.
    await server.close()
  }
}

/** When nobody waits for an answer any more, or somebody has for too long. To stop it costs no rejection of a promise. */
function endOfWait(signal: AbortSignal): { readonly over: Promise<void>; readonly stop: () => void } {
  let end = (): void => undefined
  const over = new Promise<void>((resolve) => (end = resolve))
  const timer = setTimeout(() => end(), answerMs)
  const gone = () => end()
  signal.addEventListener('abort', gone)
  return {
    over,
    stop() {
      clearTimeout(timer)
      signal.removeEventListener('abort', gone)
    },
  }
}

async function answerModern(request: Request, parsedBody: unknown, options: HttpProtocolOptions): Promise<Response> {
  const report = (error: unknown) => options.log.warn(`protocol: ${describeForLog(error)}`)
  const protocol = protocolOf({ ...options, notices: 'updates' })
  const sender = clientSchema.safeParse(parsedBody)
  if (sender.success) {
    const { name, version } = sender.data.params._meta['io.modelcontextprotocol/clientInfo']
    protocol.setClient(`${name} ${version}`)
  }
  const watch = new Watch(protocol, { parsedBody, report })
  const serverOf = () => {
    const server = createModernServer(protocol, report)
    watch.attach()
    return server
  }
  const handler = createMcpHandler(serverOf, {
    legacy: 'reject',
    // Else an answer could begin before the work is done, and its place would be another's.
    responseMode: 'json',
    onerror: report,
    bus: watch,
  })
  try {
    await watch.begin()
    return await handler.fetch(request, { parsedBody })
  } finally {
    watch.endUnheard()
  }
}

/**
 * Where a stream of notices gets them from: it watches what was asked for, on behalf of who asked, as long as the stream is open. What
 * changes between `begin` and the stream's beginning is told of then.
 */
class Watch implements ServerEventBus {
  readonly #protocol: ProtocolServer
  readonly #uris: readonly string[]
  readonly #report: (error: unknown) => void
  readonly #early = new Set<string>()
  #listener: ((event: ServerEvent) => void) | undefined

  constructor(
    protocol: ProtocolServer,
    stream: { readonly parsedBody: unknown; readonly report: (error: unknown) => void },
  ) {
    const listen = listenSchema.safeParse(stream.parsedBody)
    this.#protocol = protocol
    this.#uris = listen.success ? listen.data.params.notifications.resourceSubscriptions : []
    this.#report = stream.report
  }

  /** Nobody publishes: a server per request knows of no other. */
  publish(_event: ServerEvent): void {}

  /** Takes what the protocol tells, in the place of a kit. */
  attach(): void {
    if (this.#uris.length === 0) return
    this.#protocol.attach({
      resourceUpdated: (uri) => {
        if (this.#listener === undefined) this.#early.add(uri)
        else this.#listener({ kind: 'resource_updated', uri })
      },
      resourceListChanged: () => undefined,
    })
  }

  /** Resolves when what was asked for is watched. The stream says so with its first words: it is to be opened after that. */
  async begin(): Promise<void> {
    this.attach()
    const subscribe = this.#protocol.handlers['resources/subscribe']
    await Promise.all(this.#uris.map(async (uri) => await subscribe({ uri }).catch(this.#report)))
  }

  subscribe(listener: (event: ServerEvent) => void): () => void {
    this.#listener = listener
    for (const uri of this.#early) listener({ kind: 'resource_updated', uri })
    return () => this.#protocol.stopWatching()
  }

  /** Ends it where no stream came of it. */
  endUnheard(): void {
    if (this.#listener === undefined) this.#protocol.stopWatching()
  }
}
