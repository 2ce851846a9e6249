const MiB = 1024 * 1024
const lineFeed = 0x0a
const carriageReturn = 0x0d
const byteOrderMark = [0xef, 0xbb, 0xbf]

/**
 * Longer lines are given in pieces. A piece may exceed the bound by one chunk of the stream, and must stay well below the
 * 256 MiB of a stored entry and the 512 MiB of a string in V8.
 */
const lineBytesMax = 64 * MiB

/** A line that is not blank, without its terminator (`\n` or `\r\n`; a lone `\r` is content). */
export interface ByteLine {
  readonly type: 'line'
  /** What stood between the previous line and this one: its terminator, blank lines, a byte order mark. */
  readonly before: Uint8Array
  readonly bytes: Uint8Array
  /** True for a piece of a line longer than the bound; the pieces follow one another with nothing between them. */
  readonly oversized: boolean
}

export interface LinesEnd {
  readonly type: 'end'
  /** What stood after the last line. */
  readonly after: Uint8Array
}

/**
 * Splits a stream of bytes into lines and forgets nothing: `before` and `bytes` of all lines in order, then `after`, are
 * the stream. Bytes are not decoded, so invalid UTF-8 passes through. Memory is bounded by the longest line.
 */
export async function* byteLines(
  chunks: AsyncIterable<Uint8Array>,
  options: { readonly lineBytesMax?: number } = {},
): AsyncGenerator<ByteLine | LinesEnd> {
  const splitter = new LineSplitter(options.lineBytesMax)
  for await (const chunk of chunks) yield* splitter.push(chunk)
  yield* splitter.finish()
}

/** Splits bytes into lines as they come, see `byteLines`. */
export class LineSplitter {
  readonly #lineBytesMax: number
  #before: Uint8Array[] = []
  #line: Uint8Array[] = []
  #lineBytes = 0
  #atStart = true
  #oversized = false

  constructor(bytesMax = lineBytesMax) {
    this.#lineBytesMax = bytesMax
  }

  /** What stood after the last line that has ended. */
  get between(): Uint8Array {
    return join(this.#before)
  }

  /** How many bytes of a line that has not ended are held. */
  get heldBytes(): number {
    return this.#lineBytes
  }

  *push(chunk: Uint8Array): Generator<ByteLine> {
    let from = 0
    for (;;) {
      const at = chunk.indexOf(lineFeed, from)
      if (at === -1) break
      this.#hold(chunk.subarray(from, at + 1))
      yield* this.#endLine(true)
      from = at + 1
    }
    this.#hold(chunk.subarray(from))
    if (this.#lineBytes > this.#lineBytesMax) yield this.#piece()
  }

  /** The line that has not ended, as it is. */
  takeHeld(): Generator<ByteLine> {
    return this.#endLine(false)
  }

  *finish(): Generator<ByteLine | LinesEnd> {
    yield* this.takeHeld()
    yield { type: 'end', after: this.between }
  }

  #hold(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#line.push(bytes)
    this.#lineBytes += bytes.length
  }

  #piece(): ByteLine {
    const bytes = this.#takeLine()
    const before = join(this.#before)
    this.#before = []
    this.#oversized = true
    return { type: 'line', before, bytes, oversized: true }
  }

  *#endLine(terminated: boolean): Generator<ByteLine> {
    const line = this.#takeLine()
    const contentEnd = line.length - (terminated ? terminatorLength(line) : 0)
    const oversized = this.#oversized
    this.#oversized = false
    // The rest of a long line is content even where it is blank.
    if (oversized ? contentEnd === 0 : isBlank(line, contentEnd)) {
      this.#before.push(line)
      return
    }
    yield { type: 'line', before: join(this.#before), bytes: line.subarray(0, contentEnd), oversized }
    this.#before = contentEnd < line.length ? [line.subarray(contentEnd)] : []
  }

  /** The held line, after a byte order mark at the very start has gone to `before`. */
  #takeLine(): Uint8Array {
    const line = join(this.#line)
    this.#line = []
    this.#lineBytes = 0
    if (!this.#atStart) return line
    this.#atStart = false
    if (!byteOrderMark.every((byte, index) => line[index] === byte)) return line
    this.#before.push(line.subarray(0, byteOrderMark.length))
    return line.subarray(byteOrderMark.length)
  }
}

function terminatorLength(line: Uint8Array): number {
  return line[line.length - 2] === carriageReturn ? 2 : 1
}

function isBlank(line: Uint8Array, end: number): boolean {
  for (let index = 0; index < end; index += 1) {
    const byte = line[index]
    if (byte !== 0x20 && byte !== 0x09 && byte !== carriageReturn) return false
  }
  return true
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts)
}
