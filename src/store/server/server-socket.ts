import { once } from 'node:events'
import { connect, isIP, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'

import type { ServerAddress } from '../../model/server-address.ts'
import { failedSocket, guarded } from '../guarded-socket.ts'

/** Length 8, code 80877103: the SSLRequest of PostgreSQL's protocol. */
const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])
const sslAccepted = 'S'.charCodeAt(0)
const connectMs = 10_000
/** Of a server that does not encrypt where that is asked for. */
export const unencryptedCode = 'SERVER_WITHOUT_TLS'

/** Makes the sockets of a pool's connections, host after host where there are several. */
export class ServerSockets {
  readonly #address: ServerAddress
  readonly #changed: (open: number) => void
  #next = 0
  #open = 0

  /** `changed` is told how many sockets are open, at each change. */
  constructor(address: ServerAddress, changed: (open: number) => void = () => undefined) {
    this.#address = address
    this.#changed = changed
  }

  /** Never rejects: a failure is one of the socket. */
  async open(): Promise<Duplex> {
    const { hosts } = this.#address
    let error: unknown
    for (let attempt = 0; attempt < hosts.length; attempt++) {
      const place = hosts[this.#next++ % hosts.length]
      if (place === undefined) continue
      try {
        return guarded(this.#counted(await openSocket(place, this.#address.encryption)))
      } catch (reason) {
        error = reason
      }
    }
    return failedSocket(error instanceof Error ? error : new Error('No host is named'))
  }

  #counted(socket: Socket): Socket {
    this.#changed((this.#open += 1))
    return socket.once('close', () => this.#changed((this.#open -= 1)))
  }
}

async function openSocket(
  { host, port }: { readonly host: string; readonly port: number },
  encryption: ServerAddress['encryption'],
): Promise<Socket> {
  const socket = connect({ host, port, noDelay: true, keepAlive: true })
  const signal = AbortSignal.timeout(connectMs)
  try {
    await untilSaid(socket, 'connect', signal)
    if (encryption === 'off') return socket
    socket.write(sslRequest)
    const [answer]: Buffer[] = await untilSaid(socket, 'data', signal)
    if (answer?.[0] !== sslAccepted) {
      if (encryption === 'where possible') return socket
      throw Object.assign(new Error('The server does not encrypt connections'), { code: unencryptedCode })
    }
    const secure = connectTls({
      socket,
      // By which a certificate is checked. Without it that of an address would have to be one of "localhost".
      host,
      rejectUnauthorized: encryption === 'checked',
      ...(isIP(host) === 0 ? { servername: host } : {}),
    })
    await untilSaid(secure, 'secureConnect', signal)
    return secure
  } catch (error) {
    socket.on('error', () => undefined).destroy()
    throw signal.aborted ? Object.assign(new Error('The server does not answer'), { code: 'CONNECT_TIMEOUT' }) : error
  }
}

/** Waits for an event, and no longer than the socket is open: a proxy whose server is away takes a connection and closes it. */
async function untilSaid(socket: Socket, event: string, signal: AbortSignal): Promise<Buffer[]> {
  const closed = new AbortController()
  const close = () => closed.abort()
  socket.once('close', close)
  try {
    return await once(socket, event, { signal: AbortSignal.any([signal, closed.signal]) })
  } catch (error) {
    if (signal.aborted || !closed.signal.aborted) throw error
    throw Object.assign(new Error('The server closed the connection'), { code: 'ECONNRESET' })
  } finally {
    socket.off('close', close)
  }
}
