import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

import { z } from 'zod'

import { keptOpen } from './json-server.ts'
import { cosineOf, matches, PineconeNamespace, type Lag, type Stored } from './pinecone-namespace.ts'
import { createIndexRequest, dataRequests } from './pinecone-schemas.ts'

const apiVersion = '2026-04'
/** What the real service takes in one upsert. */
const upsertBytesMax = 2 * 1024 * 1024

/** What goes wrong with a request instead of its answer. */
export type Fault =
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: string; readonly body?: string }
  /** The answer comes after so many ms. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** The connection is reset before an answer. */
  | { readonly kind: 'reset' }
  /** The connection ends within the answer. */
  | { readonly kind: 'truncated' }
  /** 200 with this body. */
  | { readonly kind: 'body'; readonly body: string }

interface PlannedFault {
  readonly path: string
  readonly fault: Fault
  times: number
}

/** A request that came in, for tests that look at what was sent. */
export interface SeenRequest {
  readonly path: string
  readonly sizeBytes: number
  readonly body: string
  readonly query: URLSearchParams
}

interface Reply {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

interface IndexState {
  readonly name: string
  readonly dimension: number
  readonly metric: string
  readonly host: string
  readonly server: Server
  readonly namespaces: Map<string, PineconeNamespace>
  /** Descriptions until it says that it is ready. */
  descriptionsUntilReady: number
}

class Refusal extends Error {
  readonly reply: Reply
  constructor(status: number, message: string) {
    super(message)
    // The data plane says `code` and `message`, the control plane `error`: a client reads either.
    this.reply = {
      status,
      body: { code: 3, message, details: [], status, error: { code: 'INVALID_ARGUMENT', message } },
    }
  }
}

/** A stand-in of Pinecone's service: control plane and, for each index, data plane, on real sockets of this machine. */
export class PineconeStandIn {
  readonly apiKey = 'pcsk_stand-in'
  lag: Lag = 'none'
  /** How many descriptions of an index that is made say that it is not ready. */
  descriptionsUntilReady = 2
  readonly requests: SeenRequest[] = []
  readonly #indexes = new Map<string, IndexState>()
  readonly #faults: PlannedFault[] = []
  readonly #control: Server
  #url = ''

  private constructor() {
    this.#control = createServer(keptOpen, (request, response) => {
      void this.#serve(request, response, (seen) => this.#answerControl(request, seen))
    })
  }

  static async start(): Promise<PineconeStandIn> {
    const standIn = new PineconeStandIn()
    standIn.#url = await listen(standIn.#control)
    return standIn
  }

  get url(): string {
    return this.#url
  }

  /** Lets the next requests to a path fail. */
  plan(path: string, fault: Fault, times = 1): void {
    this.#faults.push({ path, fault, times })
  }

  async createIndex(name: string, dimension: number, metric = 'cosine'): Promise<void> {
    const server = createServer(keptOpen, (request, response) => {
      void this.#serve(request, response, (seen) => this.#answerData(name, request, seen))
    })
    const host = await listen(server)
    const descriptionsUntilReady = 0
    this.#indexes.set(name, { name, dimension, metric, host, server, namespaces: new Map(), descriptionsUntilReady })
  }

  async deleteIndex(name: string): Promise<void> {
    const index = this.#indexes.get(name)
    this.#indexes.delete(name)
    if (index !== undefined) await stop(index.server)
  }

  /** Everything written can be found. */
  settle(): void {
    for (const { namespaces } of this.#indexes.values()) for (const namespace of namespaces.values()) namespace.settle()
  }

  namespaces(index: string): string[] {
    return [...(this.#indexes.get(index)?.namespaces.keys() ?? [])]
  }

  async stop(): Promise<void> {
    for (const name of this.#indexes.keys()) await this.deleteIndex(name)
    await stop(this.#control)
  }

  async #serve(
    request: IncomingMessage,
    response: ServerResponse,
    answer: (seen: SeenRequest) => Promise<Reply>,
  ): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://stand-in')
    const bytes = await bodyOf(request)
    const seen = { path: pathname, sizeBytes: bytes.length, body: bytes.toString(), query: searchParams }
    this.requests.push(seen)
    const planned = this.#faults.find(({ path, times }) => path === pathname && times > 0)
    if (planned !== undefined) {
      planned.times -= 1
      if (!(await fail(planned.fault, response))) return
    }
    try {
      this.#requireHeaders(request)
      send(response, await answer(seen))
    } catch (error) {
      send(response, error instanceof Refusal ? error.reply : { status: 500, body: { message: String(error) } })
    }
  }

  #requireHeaders(request: IncomingMessage): void {
    if (request.headers['api-key'] !== this.apiKey) throw new Refusal(401, 'Invalid API Key')
    if (request.headers['x-pinecone-api-version'] !== apiVersion) throw new Refusal(400, 'Unknown API version')
    const isJson = (request.headers['content-type'] ?? '').startsWith('application/json')
    if (request.method === 'POST' && !isJson) throw new Refusal(415, 'Send application/json')
  }

  async #answerControl(request: IncomingMessage, seen: SeenRequest): Promise<Reply> {
    const [, root, name, ...rest] = seen.path.split('/')
    if (root !== 'indexes' || rest.length > 0) throw new Refusal(404, 'Not found')
    if (request.method === 'POST' && name === undefined) {
      const wanted = parse(createIndexRequest, JSON.parse(seen.body))
      if (this.#indexes.has(wanted.name)) throw new Refusal(409, 'Resource already exists')
      await this.createIndex(wanted.name, wanted.dimension, wanted.metric)
      const index = this.#index(wanted.name)
      index.descriptionsUntilReady = this.descriptionsUntilReady
      return { status: 201, body: describe(index) }
    }
    if (request.method !== 'GET' || name === undefined) throw new Refusal(405, 'Method not allowed')
    const index = this.#index(decodeURIComponent(name))
    const body = describe(index)
    index.descriptionsUntilReady -= 1
    return { status: 200, body }
  }

  #index(name: string): IndexState {
    const index = this.#indexes.get(name)
    if (index === undefined) throw new Refusal(404, `Resource ${name} not found`)
    return index
  }

  async #answerData(name: string, request: IncomingMessage, seen: SeenRequest): Promise<Reply> {
    const index = this.#index(name)
    switch (`${request.method} ${seen.path}`) {
      case 'POST /vectors/upsert':
        return this.#upsert(index, seen)
      case 'POST /query':
        return this.#query(index, seen)
      case 'POST /vectors/delete':
        return this.#delete(index, seen)
      case 'POST /describe_index_stats':
        return this.#stats(index, seen)
      case 'GET /vectors/fetch':
        return this.#fetch(index, seen)
      case 'GET /vectors/list':
        return this.#list(index, seen)
      default:
        throw new Refusal(404, 'Not found')
    }
  }

  #upsert(index: IndexState, seen: SeenRequest): Reply {
    if (seen.sizeBytes > upsertBytesMax) throw new Refusal(400, 'Message length too large')
    const { vectors, namespace: name = '' } = parse(dataRequests['POST /vectors/upsert'], JSON.parse(seen.body))
    if (new Set(vectors.map(({ id }) => id)).size < vectors.length) throw new Refusal(400, 'An id occurs twice')
    for (const { values } of vectors) {
      requireDimension(index, values)
      if (values.every((value) => value === 0)) throw new Refusal(400, 'Dense vectors must not be all zero')
    }
    const namespace = index.namespaces.get(name) ?? new PineconeNamespace()
    index.namespaces.set(name, namespace)
    const lsn = namespace.write((stored) => {
      for (const vector of vectors) stored.set(vector.id, { ...vector, values: vector.values.map(Math.fround) })
    }, this.lag)
    return written(lsn, { upsertedCount: vectors.length })
  }

  #query(index: IndexState, seen: SeenRequest): Reply {
    const query = parse(dataRequests['POST /query'], JSON.parse(seen.body))
    requireDimension(index, query.vector)
    const namespace = index.namespaces.get(query.namespace ?? '')
    const found = [...(namespace?.read(this.lag).values() ?? [])]
      .filter(({ metadata }) => query.filter === undefined || matches(metadata, query.filter))
      .map((stored) => ({ stored, score: cosineOf(stored.values, query.vector) }))
      // Of equals the real service promises nothing; here the later id comes first.
      .toSorted((a, b) => b.score - a.score || (a.stored.id < b.stored.id ? 1 : -1))
      .slice(0, query.topK)
      .map(({ stored, score }) => ({ id: stored.id, score, ...(query.includeValues ? { values: stored.values } : {}) }))
    return {
      status: 200,
      body: { matches: found, namespace: query.namespace ?? '', usage: { readUnits: 1 } },
      headers: namespace === undefined ? {} : { 'x-pinecone-max-indexed-lsn': String(namespace.indexedLsn) },
    }
  }

  #delete(index: IndexState, seen: SeenRequest): Reply {
    const request = parse(dataRequests['POST /vectors/delete'], JSON.parse(seen.body))
    const name = request.namespace ?? ''
    const namespace = index.namespaces.get(name)
    if (namespace === undefined) throw new Refusal(404, 'Namespace not found')
    const lsn = namespace.write((stored) => {
      if ('ids' in request) for (const id of request.ids) stored.delete(id)
      else stored.clear()
    }, this.lag)
    if ('deleteAll' in request && namespace.isEmpty) index.namespaces.delete(name)
    return written(lsn, {})
  }

  #fetch(index: IndexState, seen: SeenRequest): Reply {
    const { ids, namespace = '' } = parse(dataRequests['GET /vectors/fetch'], queryOf(seen.query, ['ids']))
    const stored = index.namespaces.get(namespace)?.read(this.lag)
    const vectors = Object.fromEntries(ids.flatMap((id) => (stored?.has(id) === true ? [[id, stored.get(id)]] : [])))
    return { status: 200, body: { vectors, namespace, usage: { readUnits: 1 } } }
  }

  #list(index: IndexState, seen: SeenRequest): Reply {
    const {
      prefix = '',
      limit,
      paginationToken,
      namespace = '',
    } = parse(dataRequests['GET /vectors/list'], queryOf(seen.query, []))
    const after = paginationToken === undefined ? '' : Buffer.from(paginationToken, 'base64').toString()
    const ids = [...(index.namespaces.get(namespace)?.read(this.lag).keys() ?? [])]
      .filter((id) => id.startsWith(prefix) && id > after)
      .toSorted()
    const page = ids.slice(0, limit)
    const next = ids.length > limit ? { pagination: { next: Buffer.from(page.at(-1) ?? '').toString('base64') } } : {}
    return { status: 200, body: { vectors: page.map((id) => ({ id })), ...next, namespace, usage: { readUnits: 1 } } }
  }

  #stats(index: IndexState, seen: SeenRequest): Reply {
    parse(dataRequests['POST /describe_index_stats'], JSON.parse(seen.body))
    const counts = [...index.namespaces].map(
      ([name, namespace]) => [name, { vectorCount: namespace.read(this.lag).size }] as const,
    )
    const totalVectorCount = counts.reduce((sum, [, { vectorCount }]) => sum + vectorCount, 0)
    const { dimension, metric } = index
    const namespaces = Object.fromEntries(counts)
    return {
      status: 200,
      body: { namespaces, dimension, indexFullness: 0, totalVectorCount, metric, vectorType: 'dense' },
    }
  }
}

function describe(index: IndexState): object {
  const isReady = index.descriptionsUntilReady <= 0
  return {
    name: index.name,
    dimension: index.dimension,
    metric: index.metric,
    host: index.host,
    vector_type: 'dense',
    deletion_protection: 'disabled',
    spec: {
      serverless: {
        cloud: 'aws',
        region: 'us-east-1',
        read_capacity: { mode: 'OnDemand', status: { state: 'Ready' } },
      },
    },
    status: { ready: isReady, state: isReady ? 'Ready' : 'Initializing' },
  }
}

function requireDimension(index: IndexState, values: Stored['values']): void {
  if (values.length === index.dimension) return
  throw new Refusal(
    400,
    `Vector dimension ${values.length} does not match the dimension of the index ${index.dimension}`,
  )
}

function written(lsn: number, body: object): Reply {
  return { status: 200, body, headers: { 'x-pinecone-request-lsn': String(lsn) } }
}

function parse<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new Refusal(400, z.prettifyError(parsed.error))
}

/** The members of a query; those in `lists` may occur several times. */
function queryOf(query: URLSearchParams, lists: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    [...query.keys()].map((name) => [name, lists.includes(name) ? query.getAll(name) : query.get(name)]),
  )
}

/** Answers whether the request is to be answered after all. */
async function fail(fault: Fault, response: ServerResponse): Promise<boolean> {
  switch (fault.kind) {
    case 'status':
      response.writeHead(fault.status, fault.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter })
      response.end(fault.body ?? '{"message":"planned"}')
      return false
    case 'slow':
      await sleep(fault.ms)
      return true
    case 'reset':
      response.socket?.resetAndDestroy()
      return false
    case 'truncated':
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
      response.write('{"matches":[')
      await sleep(20)
      response.socket?.destroy()
      return false
    case 'body':
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(fault.body)
      return false
    default:
      return fault satisfies never
  }
}

function send(response: ServerResponse, { status, body, headers = {} }: Reply): void {
  if (response.destroyed) return
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('A server that listens has an address')
  return `http://127.0.0.1:${address.port}`
}

async function stop(server: Server): Promise<void> {
  server.close()
  server.closeAllConnections()
  if (server.listening) await once(server, 'close')
}
