import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

/** Of "localhost" alone, signed by itself, and good for nothing but tests. */
export const certificate = `-----BEGIN CERTIFICATE-----
MIIBYTCCAQegAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhv
c3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM
CWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABBLv0+hUU3IFf4+U
CT47uumRuhJ1HqtIF5OLBVVVrs6BXe+XUpz/x7laISTuZlSlAkFIZyN2xLbLnLCh
ULw5ZD6jSDBGMA8GA1UdEwEB/wQFMAMBAf8wFAYDVR0RBA0wC4IJbG9jYWxob3N0
MB0GA1UdDgQWBBQeC8lm0YYFlaqm25uy6vMwBcLypjAKBggqhkjOPQQDAgNIADBF
AiAqFql5jAk97fNEc23GKZOX3qjFQUMTvYWfIxhSM9jW3QIhAKKZMYsCyHt67oon
AlXs2C7pzqV+NUvyhqHX2lIKGIfZ
-----END CERTIFICATE-----
`
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgbxhOLf1giTR4D6ph
C3E2iNN0MNMaT13cy/De+Bu9opWhRANCAAQS79PoVFNyBX+PlAk+O7rpkboSdR6r
SBeTiwVVVa7OgV3vl1Kc/8e5WiEk7mZUpQJBSGcjdsS2y5ywoVC8OWQ+
-----END PRIVATE KEY-----
`

/** Speaks PostgreSQL's TLS in front of a real server that does not. */
export class TlsFront {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** Connections that were encrypted, and on which the client said something then. */
  used = 0
  /** How many of the next connections are closed as soon as they are there, as by a proxy whose server is away. */
  closing = 0

  private constructor(target: URL) {
    this.#server = createServer((socket) => this.#serve(socket, target))
  }

  static async start(target: string): Promise<TlsFront> {
    const front = new TlsFront(new URL(target))
    front.#server.listen(0, '127.0.0.1')
    await once(front.#server, 'listening')
    return front
  }

  get port(): number {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('It does not listen')
    return address.port
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #serve(socket: Socket, target: URL): void {
    this.#keep(socket)
    if (this.closing > 0) {
      this.closing -= 1
      socket.end()
      return
    }
    // The client's request for TLS, which is answered with "S" for yes.
    socket.once('data', () => {
      socket.write('S')
      const secure = new TLSSocket(socket, { isServer: true, cert: certificate, key })
      const real = connect(Number(target.port), target.hostname)
      this.#keep(secure)
      this.#keep(real)
      secure.once('data', () => (this.used += 1))
      secure.pipe(real).pipe(secure)
    })
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    // A client that does not like the certificate breaks off.
    socket.on('error', () => socket.destroy()).once('close', () => this.#sockets.delete(socket))
  }
}
