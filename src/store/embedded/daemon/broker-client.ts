import type { Socket } from 'node:net'

import {
  FrameReader,
  errorResponse,
  isStatementClose,
  readyForQuery,
  renameStatement,
  startupCode,
  startupCodeOf,
  startupParameters,
  typeOf,
} from '../wire.ts'
import type { Frame, WireError } from '../wire.ts'

/** Frames that the engine is given at once. After `flush` the same client has to go on before another may. */
export interface Batch {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly end: 'answered' | 'flush'
}

export interface BrokerClientHooks {
  /** The startup message was read; the broker answers with `greet`, or with `refuse`. */
  readonly onStartup: (client: BrokerClient) => void
  readonly onBatch: (client: BrokerClient) => void
  readonly onClose: (client: BrokerClient) => void
}

const frameBytesMax = 256 * 1024 * 1024
/** What a client may send ahead before its socket is no longer read. */
const queuedBytesMax = 32 * 1024 * 1024
/** What may wait to be read by a client before its next batch is held back. */
const unreadBytesMax = 32 * 1024 * 1024
const cutOffMs = 1_000
/** How long a client whose transaction was lost may still be told so, rather than find its connection closed. */
const lastWordsMs = 250

/** One connection: reads its messages into batches and gives its prepared statements names of their own. */
export class BrokerClient {
  readonly id: number
  applicationName = ''
  gone = false
  /** In the broker's queue, or being served. */
  queued = false
  readonly #socket: Socket
  readonly #hooks: BrokerClientHooks
  readonly #reader = new FrameReader(frameBytesMax)
  /** The client's name of each open prepared statement, and the engine's. */
  readonly #statements = new Map<string, string>()
  #statementCount = 0
  #phase: 'startup' | 'open' | 'failed' = 'startup'
  #frames: Frame[] = []
  #batches: Batch[] = []
  #queuedBytes = 0
  #error: WireError | undefined
  #errorSent = false

  constructor(socket: Socket, id: number, hooks: BrokerClientHooks) {
    this.#socket = socket
    this.id = id
    this.#hooks = hooks
    socket.on('data', (chunk: Buffer) => {
      this.#read(chunk)
    })
    socket.on('drain', () => {
      if (this.hasBatch) hooks.onBatch(this)
    })
    // A reset ends the connection like any other end; 'close' follows.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.gone = true
      hooks.onClose(this)
    })
  }

  get hasBatch(): boolean {
    return this.#batches.length > 0 && this.#socket.writableLength < unreadBytesMax
  }

  /** The engine's names of the statements that are still open. */
  get statements(): readonly string[] {
    return [...this.#statements.values()]
  }

  greet(greeting: Uint8Array): void {
    this.#phase = 'open'
    this.send(greeting)
    this.#readFrames()
  }

  refuse(error: WireError): void {
    this.#phase = 'failed'
    this.send(errorResponse({ ...error, severity: 'FATAL' }))
    this.#end()
  }

  send(answer: Uint8Array): void {
    if (!this.gone) this.#socket.write(answer)
  }

  take(): Batch | undefined {
    if (!this.hasBatch) return undefined
    const batch = this.#batches.shift()
    this.#queuedBytes -= batch?.bytes.length ?? 0
    if (this.#socket.isPaused() && this.#queuedBytes < queuedBytesMax) this.#socket.resume()
    return batch
  }

  /**
   * Answers what waits with `error` and closes the connection, as its statements and its transaction are gone. Whoever
   * is in a transaction or between two messages of one query is told once more before that.
   */
  fail(
    error: WireError,
    state: { readonly serving: boolean; readonly pinned: boolean; readonly flushed: boolean },
  ): void {
    if (this.#phase === 'startup') {
      this.refuse(error)
      return
    }
    if (this.#phase === 'failed') return
    this.#phase = 'failed'
    this.#error = error
    if (state.serving) this.#answerWithError(state.flushed ? 'flush' : 'answered')
    for (const batch of this.#batches) this.#answerWithError(batch.end)
    this.#batches = []
    if (state.pinned || this.#errorSent) setTimeout(() => this.#end(), lastWordsMs).unref()
    else this.#end()
  }

  /** A client that does not close its side, stopped for example, is cut off. */
  #end(): void {
    this.#socket.end()
    setTimeout(() => this.#socket.destroy(), cutOffMs).unref()
  }

  #answerWithError(end: Batch['end']): void {
    if (this.#error === undefined) return
    if (!this.#errorSent) this.send(errorResponse(this.#error))
    this.#errorSent = end === 'flush'
    if (end === 'answered') this.send(readyForQuery('I'))
  }

  #read(chunk: Buffer): void {
    this.#reader.push(chunk)
    try {
      this.#readFrames()
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      this.refuse({ code: '08P01', message: error.message })
    }
  }

  #readFrames(): void {
    while (this.#phase === 'startup') {
      const frame = this.#reader.next(false)
      if (frame === undefined || !this.#readStartup(frame)) return
    }
    for (let frame = this.#reader.next(true); frame !== undefined; frame = this.#reader.next(true)) {
      this.#readFrame(frame)
    }
    if (this.#queuedBytes + this.#reader.sizeBytes > queuedBytesMax && this.#batches.length > 0) this.#socket.pause()
  }

  /** Whether the next message can be read at once. */
  #readStartup(frame: Frame): boolean {
    const code = startupCodeOf(frame)
    if (code === startupCode.ssl || code === startupCode.gss) {
      this.send(Buffer.from('N'))
      return true
    }
    if (code >>> 16 !== startupCode.protocol3 >>> 16) {
      // A cancel request among them: the engine cannot be interrupted, and the protocol has no answer to it.
      this.#socket.end()
      return false
    }
    this.applicationName = startupParameters(frame).get('application_name') ?? ''
    this.#hooks.onStartup(this)
    return false
  }

  #readFrame(frame: Frame): void {
    const type = typeOf(frame)
    if (type === 'X') {
      this.#socket.end()
      return
    }
    this.#frames.push(this.#renamed(frame, type))
    if (type === 'S' || type === 'Q' || type === 'H' || type === 'F' || type === 'c' || type === 'f') {
      this.#enqueue(type === 'H' ? 'flush' : 'answered')
    }
  }

  #renamed(frame: Frame, type: string): Frame {
    const renamed = renameStatement(frame, (name) => {
      const known = this.#statements.get(name)
      if (known !== undefined) return known
      this.#statementCount += 1
      const own = `${this.id}.${this.#statementCount}`
      if (type === 'P') this.#statements.set(name, own)
      return own
    })
    if (isStatementClose(frame)) this.#statements.delete(frame.toString('utf8', 6, frame.length - 1))
    return renamed
  }

  #enqueue(end: Batch['end']): void {
    if (this.#phase === 'failed') {
      this.#frames = []
      this.#answerWithError(end)
      return
    }
    const sizeBytes = this.#frames.reduce((sum, frame) => sum + frame.length, 0)
    const bytes = new Uint8Array(sizeBytes)
    let offset = 0
    for (const frame of this.#frames) {
      bytes.set(frame, offset)
      offset += frame.length
    }
    this.#frames = []
    this.#batches.push({ bytes, end })
    this.#queuedBytes += sizeBytes
    this.#hooks.onBatch(this)
  }
}
