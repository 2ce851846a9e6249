import { Agent, request } from 'node:http'

import { percentile } from '../measure.ts'

/** What clients got that ask again as soon as they are answered. */
export interface Load {
  /** Calls a second of all clients together. */
  readonly rate: number
  /** Milliseconds of each call. */
  readonly times: readonly number[]
}

export interface LoadOptions {
  readonly clients: number
  readonly seconds: number
  /** Before anything counts. */
  readonly warmUpSeconds: number
}

/** Runs clients side by side for some seconds. A call that fails ends the bench: figures of failures are worth nothing. */
export async function runLoad(call: (client: number) => Promise<unknown>, options: LoadOptions): Promise<Load> {
  const times: number[] = []
  const countsFrom = performance.now() + options.warmUpSeconds * 1000
  const endsAt = countsFrom + options.seconds * 1000
  const client = async (index: number) => {
    for (;;) {
      const startedAt = performance.now()
      if (startedAt >= endsAt) return
      await call(index)
      const now = performance.now()
      // By its end, as calls may take longer than what is measured.
      if (now >= countsFrom && now <= endsAt) times.push(now - startedAt)
    }
  }
  await Promise.all(Array.from({ length: options.clients }, (_, index) => client(index)))
  return { rate: times.length / options.seconds, times }
}

/** Runs clients side by side until so many calls of all of them together were answered. */
export async function runCalls(
  call: (client: number) => Promise<unknown>,
  options: { readonly clients: number; readonly calls: number },
): Promise<void> {
  let left = options.calls
  const client = async (index: number) => {
    while (left-- > 0) await call(index)
  }
  await Promise.all(Array.from({ length: options.clients }, (_, index) => client(index)))
}

export function joinLoads(loads: readonly Load[]): Load {
  const rate = loads.reduce((total, load) => total + load.rate, 0) / loads.length
  return { rate, times: loads.flatMap(({ times }) => times) }
}

export function describeTimes({ times }: Load): string {
  if (times.length === 0) return 'none was answered'
  return [0.5, 0.95, 0.99].map((part) => percentile(times, part).toPrecision(3)).join(' / ')
}

const restMs = 2_000

/** Calls tools over HTTP on connections that stay open. Without a client library, whose own work would be measured too. */
export class HttpCaller {
  /** A connection that rests is closed before the server closes it, which may be just when it is used again. */
  readonly #agent = new Agent({ keepAlive: true, timeout: restMs })
  readonly #urls: readonly URL[]
  readonly #token: string
  #id = 0

  constructor(urls: readonly string[], token: string) {
    this.#urls = urls.map((url) => new URL('/mcp', url))
    this.#token = token
  }

  /** Client `client` always speaks to the same of the servers. */
  async call(client: number, name: string, args: Readonly<Record<string, unknown>>): Promise<void> {
    const url = this.#urls[client % this.#urls.length]
    if (url === undefined) throw new Error('Cannot call without a server')
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id: ++this.#id,
      method: 'tools/call',
      params: { name, arguments: args },
    })
    const answer = await this.#post(url, body)
    // An answer in time that is a refusal would look like a fast server.
    if (answer.includes('"isError":true') || !answer.includes('"result"'))
      throw new Error(`The server refused a call: ${answer.slice(0, 300)}`)
  }

  async #post(url: URL, body: string): Promise<string> {
    return await new Promise((resolve, reject) => {
      const sent = request(
        url,
        {
          agent: this.#agent,
          method: 'POST',
          headers: {
            authorization: `Bearer ${this.#token}`,
            'content-type': 'application/json',
            accept: 'application/json, text/event-stream',
            'content-length': Buffer.byteLength(body),
          },
        },
        (response) => {
          let text = ''
          response.setEncoding('utf8')
          response.on('data', (chunk: string) => (text += chunk))
          response.on('end', () => resolve(text))
          response.on('error', reject)
        },
      )
      sent.on('error', reject)
      sent.end(body)
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}
