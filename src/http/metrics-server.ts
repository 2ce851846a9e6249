import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'

import { describeForLog } from '../errors.ts'
import type { Log } from '../log.ts'
import { cannotListen } from './cannot-listen.ts'

/** Where the metrics are read from. */
export interface MetricsSource {
  readonly contentType: string
  text(): Promise<string>
}

/** The metrics at an address of their own, for who asks without a token: the network says who may. */
export class MetricsServer implements AsyncDisposable {
  readonly #server: Server

  private constructor(source: MetricsSource, log: Log) {
    this.#server = createServer((request, response) => {
      const isRead = request.url === '/metrics' && (request.method === 'GET' || request.method === 'HEAD')
      if (!isRead) return void response.writeHead(404).end('Only GET /metrics is answered here\n')
      return void answer(source, response).catch((error: unknown) => {
        log.error('the metrics could not be read', error)
        response.writeHead(500).end()
      })
    })
    this.#server.on('error', (error) => log.warn(`metrics: ${describeForLog(error)}`))
  }

  /** Listens when the promise resolves. UnavailableError where the address cannot be had. */
  static async start(
    address: { readonly host: string; readonly port: number },
    source: MetricsSource,
    log: Log,
  ): Promise<MetricsServer> {
    const server = new MetricsServer(source, log)
    server.#server.listen(address.port, address.host)
    try {
      await once(server.#server, 'listening')
    } catch (error) {
      throw cannotListen(address, error, 'Choose another with VERBATIM_METRICS_ADDRESS')
    }
    return server
  }

  get port(): number {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('The server is not listening')
    return address.port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }
}

async function answer(source: MetricsSource, response: ServerResponse): Promise<void> {
  const text = await source.text()
  response.writeHead(200, { 'content-type': source.contentType }).end(text)
}
