import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/** What goes wrong with a request instead of its answer. */
export type Fault =
  | {
      readonly kind: 'status'
      readonly status: number
      readonly body?: unknown
      readonly headers?: Readonly<Record<string, string>>
    }
  /** The answer comes after so many ms. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** The connection is reset before an answer. */
  | { readonly kind: 'reset' }
  /** The connection ends within the answer. */
  | { readonly kind: 'truncated' }
  /** 200 with this text. */
  | { readonly kind: 'text'; readonly text: string }
  /** The right answer with other vectors. */
  | { readonly kind: 'vectors'; readonly change: (vectors: readonly number[][]) => number[][] }

export interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

export interface Reply {
  readonly status: number
  readonly body: unknown
}

/** An error that the service documents. */
export class Refusal extends Error {
  readonly reply: Reply

  constructor(status: number, body: unknown) {
    super(`status ${status}`)
    this.reply = { status, body }
  }
}

/** Makes the vectors of texts, which a fault may have changed. */
export type MakeVectors = (texts: readonly string[], dimensions: number) => number[][]

/**
 * Connections stay open for as long as the client keeps them. It often runs in the process of the server: where that had no turn for
 * seconds, the one would close what the other just writes to.
 */
export const keptOpen = { keepAliveTimeout: 0 } as const

/** A stand-in of a JSON service on a real socket of this machine; what it answers is its subclass's. */
export abstract class JsonServer {
  readonly requests: SeenRequest[] = []
  readonly #faults: Fault[] = []
  readonly #server: Server
  #url = ''

  protected constructor() {
    this.#server = createServer(keptOpen, (request, response) => void this.#serve(request, response))
  }

  get url(): string {
    return this.#url
  }

  /** The next requests fail, one for each fault. */
  plan(...faults: readonly Fault[]): void {
    this.#faults.push(...faults)
  }

  /** What was planned and did not come to pass does not. */
  answerAll(): void {
    this.#faults.length = 0
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('A server that listens has an address')
    this.#url = `http://127.0.0.1:${address.port}`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  protected abstract answer(request: SeenRequest, makeVectors: MakeVectors): Reply

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk)
    const { method = '', url = '', headers } = request
    const seen = { method, path: url, headers, text: Buffer.concat(chunks).toString() }
    this.requests.push(seen)
    const fault = this.#faults.shift()
    if (fault !== undefined && (await fail(fault, response))) return
    const makeVectors: MakeVectors = (texts, dimensions) => {
      const vectors = texts.map((text) => vectorOf(text, dimensions))
      return fault?.kind === 'vectors' ? fault.change(vectors) : vectors
    }
    send(response, this.#reply(seen, makeVectors))
  }

  #reply(seen: SeenRequest, makeVectors: MakeVectors): Reply {
    try {
      return this.answer(seen, makeVectors)
    } catch (error) {
      return error instanceof Refusal ? error.reply : { status: 500, body: { error: String(error) } }
    }
  }
}

/** Numbers that follow from the text, of a length other than 1, as truncated vectors have. */
function vectorOf(text: string, dimensions: number): number[] {
  return Array.from({ length: dimensions }, (_, place) => {
    const digest = createHash('sha256').update(`${place}:${text}`).digest()
    return (digest.readInt32BE(0) / 2 ** 31) * 0.1
  })
}

/** Answers whether the request is done with. */
async function fail(fault: Fault, response: ServerResponse): Promise<boolean> {
  switch (fault.kind) {
    case 'status':
      send(response, { status: fault.status, body: fault.body ?? {} }, fault.headers)
      return true
    case 'slow':
      await sleep(fault.ms)
      return false
    case 'reset':
      response.socket?.resetAndDestroy()
      return true
    case 'truncated':
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
      response.write('{"embeddings":[')
      await sleep(20)
      response.socket?.destroy()
      return true
    case 'text':
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(fault.text)
      return true
    case 'vectors':
      return false
    default:
      return fault satisfies never
  }
}

function send(response: ServerResponse, { status, body }: Reply, headers: Readonly<Record<string, string>> = {}): void {
  if (response.destroyed) return
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}
