import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/**
 * What happens to one connection:
 *
 * - `refused`: it is closed before a byte was passed on
 * - `reset`: it breaks in the middle of the request
 * - `lost answer`: the request is passed on whole, and the answer is not
 * - `slow`: the answer comes in pieces
 * - `unavailable`: 503, without asking the server
 * - `truncated`: the answer ends in the middle of its body
 * - `altered`: a byte of the first body that is answered is another
 */
export type Fault = 'refused' | 'reset' | 'lost answer' | 'slow' | 'unavailable' | 'truncated' | 'altered'

const breakEveryMs = 400
const unavailable =
  'HTTP/1.1 503 Slow Down\r\ncontent-type: application/xml\r\ncontent-length: 48\r\nconnection: close\r\n\r\n<Error><Code>SlowDown</Code><Message/></Error>\r\n'

/** A TCP proxy in front of a real server that does to the next connections what a network does. */
export class FaultProxy {
  readonly #server: Server
  readonly #target: URL
  readonly #faults: Fault[] = []
  readonly #sockets = new Set<Socket>()
  #storm: { readonly faults: readonly (Fault | undefined)[]; readonly breaking: NodeJS.Timeout } | undefined
  #met = 0

  private constructor(target: string) {
    this.#target = new URL(target)
    this.#server = createServer((socket) => this.#serve(socket))
  }

  static async start(target: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(target)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get url(): string {
    const { port } = addressOf(this.#server)
    return `http://127.0.0.1:${port}`
  }

  /** Faults of the next requests, in order. Connections that are open are closed, so that the next request makes one. */
  next(...faults: readonly Fault[]): void {
    this.#faults.splice(0, Infinity, ...faults)
    this.#breakAll()
  }

  #breakAll(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Faults that no request has met. */
  get left(): number {
    return this.#faults.length
  }

  /** From now on each connection meets the next of `faults`, again and again, and all that are open break every 400 ms. */
  storm(faults: readonly (Fault | undefined)[]): void {
    this.calm()
    this.#storm = { faults, breaking: setInterval(() => this.#breakAll(), breakEveryMs) }
  }

  /** Ends a storm. Returns how many connections met a fault in it. */
  calm(): number {
    clearInterval(this.#storm?.breaking)
    this.#storm = undefined
    this.#breakAll()
    const met = this.#met
    this.#met = 0
    return met
  }

  async stop(): Promise<void> {
    this.calm()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #nextFault(): Fault | undefined {
    if (this.#storm === undefined) return this.#faults.shift()
    const [first, ...rest] = this.#storm.faults
    this.#storm = { ...this.#storm, faults: [...rest, first] }
    if (first !== undefined) this.#met++
    return first
  }

  #serve(client: Socket): void {
    this.#sockets.add(client)
    client.on('close', () => this.#sockets.delete(client))
    client.on('error', () => undefined)
    const fault = this.#nextFault()
    if (fault === 'refused') return void client.resetAndDestroy()
    if (fault === 'unavailable') {
      client.resume().once('data', () => client.end(unavailable))
      return undefined
    }
    const server = connect(Number(this.#target.port), this.#target.hostname)
    server.on('error', () => client.destroy())
    client.on('close', () => server.destroy())
    if (fault === 'reset') {
      client.once('data', (chunk: Buffer) => {
        server.write(chunk.subarray(0, chunk.length / 2))
        setTimeout(() => client.resetAndDestroy(), 20)
      })
      return undefined
    }
    client.pipe(server)
    if (fault === undefined) server.pipe(client)
    else answerWith(fault, { client, server })
    return undefined
  }
}

function answerWith(fault: Fault, { client, server }: { readonly client: Socket; readonly server: Socket }) {
  let isDone = false
  server.on('data', (chunk: Buffer) => {
    const bodyAt = chunk.indexOf('\r\n\r\n') + 4
    if (fault === 'lost answer') client.resetAndDestroy()
    else if (fault === 'slow') dripFeed(chunk, { client, server })
    else if (fault === 'truncated') {
      client.write(chunk.subarray(0, bodyAt + Math.floor((chunk.length - bodyAt) / 2)), () => client.resetAndDestroy())
    } else {
      const altered = Buffer.from(chunk)
      if (!isDone && bodyAt < altered.length) {
        altered[bodyAt] = (altered[bodyAt] ?? 0) ^ 1
        isDone = true
      }
      client.write(altered)
    }
  })
  server.on('end', () => client.end())
}

/** The rest of a piece comes later, and nothing overtakes it. */
function dripFeed(chunk: Buffer, { client, server }: { readonly client: Socket; readonly server: Socket }): void {
  const half = Math.floor(chunk.length / 2)
  client.write(chunk.subarray(0, half))
  server.pause()
  setTimeout(() => {
    client.write(chunk.subarray(half))
    server.resume()
  }, 100)
}

function addressOf(server: Server): AddressInfo {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The proxy is not listening')
  return address
}
