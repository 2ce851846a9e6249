import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'

import { EndedRows } from './ended-rows.ts'

/**
 * Bytes that `paddingParameter` adds to a startup message. postgres.js 3.4.9 forgets to reset its write timer when a
 * connection closes with a write pending; afterwards the reconnected connection never sends anything, unless what it
 * writes has 1,024 bytes or more.
 */
export const startupPaddingBytes = 1_024

const startupMark = Buffer.from([0, 3, 0, 0])

/**
 * Keeps three faults of postgres.js away from the socket of one of its connections: it removes its error listener while
 * errors may still come (an uncaught ECONNRESET ended a process in 1 of 4 runs), after a loss it sends the rest of
 * the old connection before the startup message of the new one, and it takes up rows of a failed statement into the
 * answer of the next (`EndedRows`).
 */
export function guarded<T extends Socket>(socket: T): T {
  const removeAllListeners = socket.removeAllListeners.bind(socket)
  const write = socket.write.bind(socket)
  const on = socket.on.bind(socket)
  const rows = new EndedRows()
  let isStarted = false
  socket.on('error', ignore)
  return Object.assign(socket, {
    on(event: string, listener: (...args: unknown[]) => void): T {
      on(event, event === 'data' ? (chunk: Buffer) => listener(rows.pass(chunk)) : listener)
      return socket
    },
    removeAllListeners(event?: string | symbol): T {
      removeAllListeners(event)
      return socket.on('error', ignore)
    },
    write(bytes: Uint8Array | string, ...rest: readonly unknown[]): boolean {
      const callback = rest.find((value): value is (error?: Error | null) => void => typeof value === 'function')
      const isStartup = !isStarted && typeof bytes !== 'string'
      isStarted ||= isStartup
      return Reflect.apply(write, socket, [isStartup ? startupIn(Buffer.from(bytes)) : bytes, callback]) === true
    },
  })
}

/** The startup message at the end of the first write, without what an earlier connection left before it. */
export function startupIn(bytes: Buffer): Buffer {
  for (let at = bytes.indexOf(startupMark, 4); at >= 4; at = bytes.indexOf(startupMark, at + 1)) {
    if (bytes.readInt32BE(at - 4) === bytes.length - (at - 4)) return bytes.subarray(at - 4)
  }
  return bytes
}

/**
 * A socket that fails with `error`. postgres.js loses a connection of its pool for good when the function that makes
 * its socket rejects, so a failure has to come as a socket's error.
 */
export function failedSocket(error: Error): Duplex {
  const socket = new Duplex({ read: ignore, write: (_chunk, _encoding, done) => done() })
  // After postgres.js has written its startup message, which happens in the next turn of the event loop.
  setTimeout(() => socket.destroy(error), 5)
  return socket
}

function ignore(): void {
  // postgres.js has its own listener while it waits for an answer.
}
