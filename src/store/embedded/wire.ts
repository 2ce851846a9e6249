/**
 * The parts of PostgreSQL's wire protocol 3.0 that stand between a client and the engine: frames, the messages that
 * the broker itself sends, and the names of prepared statements.
 * Source: https://www.postgresql.org/docs/18/protocol-message-formats.html
 */

/** One message, type byte and length included; the first message of a connection has no type byte. */
export type Frame = Buffer

const lengthBytes = 4
const headerBytes = 1 + lengthBytes

/** Cuts a stream of bytes into frames without copying a frame more than once. */
export class FrameReader {
  readonly #frameBytesMax: number
  #chunks: Buffer[] = []
  #sizeBytes = 0

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#sizeBytes += chunk.length
  }

  /** The next whole frame, `undefined` while it is incomplete. Throws a RangeError for a length out of bounds. */
  next(hasType: boolean): Frame | undefined {
    const typeBytes = hasType ? 1 : 0
    if (this.#sizeBytes < typeBytes + lengthBytes) return undefined
    const length = this.#head(headerBytes).readInt32BE(typeBytes)
    if (length < lengthBytes || length > this.#frameBytesMax) {
      throw new RangeError(
        `Cannot read a message of the client as its length must be <= ${this.#frameBytesMax}: current value is ${length}`,
      )
    }
    const size = typeBytes + length
    if (this.#sizeBytes < size) return undefined
    const head = this.#head(size)
    this.#sizeBytes -= size
    this.#chunks.shift()
    if (head.length > size) this.#chunks.unshift(head.subarray(size))
    return head.subarray(0, size)
  }

  /** Makes the first chunk at least `size` long where there are as many bytes. */
  #head(size: number): Buffer {
    const first = this.#chunks[0]
    if (first !== undefined && first.length >= size) return first
    const head = Buffer.concat(this.#chunks)
    this.#chunks = [head]
    return head
  }
}

export const startupCode = { protocol3: 3 << 16, ssl: 80_877_103, gss: 80_877_104 } as const

/** The code of a first message: a protocol version or one of the special requests. */
export function startupCodeOf(frame: Frame): number {
  return frame.length < 8 ? 0 : frame.readInt32BE(lengthBytes)
}

/** The parameters of a startup message, `application_name` among them. */
export function startupParameters(frame: Frame): ReadonlyMap<string, string> {
  const words = frame.toString('utf8', 2 * lengthBytes).split('\0')
  const parameters = new Map<string, string>()
  for (let index = 0; index + 1 < words.length; index += 2) {
    const name = words[index]
    if (name !== undefined && name !== '') parameters.set(name, words[index + 1] ?? '')
  }
  return parameters
}

export function typeOf(frame: Frame): string {
  return String.fromCharCode(frame[0] ?? 0)
}

export interface WireError {
  /** Five characters of SQLSTATE. */
  readonly code: string
  readonly message: string
  readonly hint?: string
  readonly severity?: 'ERROR' | 'FATAL'
}

export function errorResponse(error: WireError): Buffer {
  const severity = error.severity ?? 'ERROR'
  const fields = [`S${severity}`, `V${severity}`, `C${error.code}`, `M${error.message}`]
  if (error.hint !== undefined) fields.push(`H${error.hint}`)
  return frame('E', Buffer.from(`${fields.join('\0')}\0\0`))
}

/** An answer in which the error with SQLSTATE `code` is replaced; the same answer when it has none. */
export function replaceError(answer: Uint8Array, code: string, error: WireError): Uint8Array {
  const bytes = Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength)
  let at = 0
  while (at + headerBytes <= bytes.length) {
    const end = at + 1 + bytes.readInt32BE(at + 1)
    if (bytes[at] === 0x45 && bytes.subarray(at, end).includes(`\0C${code}\0`)) {
      return Buffer.concat([bytes.subarray(0, at), errorResponse(error), bytes.subarray(end)])
    }
    at = end
  }
  return answer
}

/** `I` idle, `T` in a transaction, `E` in a failed transaction. */
export type TransactionStatus = 'I' | 'T' | 'E'

export function readyForQuery(status: TransactionStatus): Buffer {
  return frame('Z', Buffer.from(status))
}

/** The status in the ReadyForQuery that ends an answer; `undefined` when the answer ends with another message. */
export function statusAtEnd(answer: Uint8Array): TransactionStatus | undefined {
  const at = answer.length - 6
  if (at < 0 || answer[at] !== 0x5a || answer[at + 4] !== 5) return undefined
  const status = String.fromCharCode(answer[at + 5] ?? 0)
  return status === 'I' || status === 'T' || status === 'E' ? status : undefined
}

export const syncFrame: Frame = frame('S', Buffer.alloc(0))

export function queryFrame(sql: string): Frame {
  return frame('Q', Buffer.from(`${sql}\0`))
}

export function closeStatementFrame(name: string): Frame {
  return frame('C', Buffer.from(`S${name}\0`))
}

/** The startup message that the engine itself is greeted with; its answer is then every client's greeting. */
export function startupFrame(): Buffer {
  const body = Buffer.from(`\0\x03\0\0user\0postgres\0database\0postgres\0\0`, 'latin1')
  return withLength(body)
}

/**
 * Gives the prepared statement in a Parse, Bind, Describe or Close message another name; other messages and unnamed
 * statements come back as they are. All clients share one engine session, so equal names would clash there.
 */
export function renameStatement(message: Frame, rename: (name: string) => string): Frame {
  const at = statementNameAt(message)
  if (at === undefined || at >= message.length) return message
  const end = message.indexOf(0, at)
  if (end <= at) return message
  const name = Buffer.from(rename(message.toString('utf8', at, end)))
  const body = Buffer.concat([message.subarray(headerBytes, at), name, message.subarray(end)])
  return frame(typeOf(message), body)
}

/** Whether a Close message closes a named statement. */
export function isStatementClose(message: Frame): boolean {
  return message[0] === 0x43 && message[headerBytes] === 0x53
}

function statementNameAt(message: Frame): number | undefined {
  const type = typeOf(message)
  if (type === 'P') return headerBytes
  if (type === 'B') return message.indexOf(0, headerBytes) + 1
  const names = (type === 'D' || type === 'C') && message[headerBytes] === 0x53
  return names ? headerBytes + 1 : undefined
}

function frame(type: string, body: Buffer): Frame {
  return Buffer.concat([Buffer.from(type), withLength(body)])
}

function withLength(body: Buffer): Buffer {
  const length = Buffer.alloc(lengthBytes)
  length.writeInt32BE(body.length + lengthBytes)
  return Buffer.concat([length, body])
}
