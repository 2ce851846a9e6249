import { isJsonSpace } from './json-spans.ts'

const MiB = 1024 * 1024
const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const openBracket = 0x5b
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d
const byteOrderMark = new Set([0xef, 0xbb, 0xbf])

/** A larger element is given as pieces of `rest`, so that one unclosed string cannot pull a whole file into memory. */
const elementBytesMax = 64 * MiB
const restBytesMax = 4 * MiB

/** An element of the array, or a piece of what does not belong to one: `rest` is damaged by definition. */
export interface ArrayPart {
  readonly type: 'element' | 'rest'
  /** What stood between the previous part and this one: brackets, commas, white space. */
  readonly before: Uint8Array
  readonly bytes: Uint8Array
}

export interface ArrayEnd {
  readonly type: 'end'
  readonly after: Uint8Array
}

/**
 * Splits a stream that holds a JSON array, or several one after the other, into the exact bytes of their elements and of what stands between them.
 * Law: `before` and `bytes` of all parts in order, then `after`, are the stream, whatever the stream is.
 */
export async function* arrayElements(
  chunks: AsyncIterable<Uint8Array>,
  options: { readonly elementBytesMax?: number } = {},
): AsyncGenerator<ArrayPart | ArrayEnd> {
  const splitter = new ArraySplitter(options.elementBytesMax ?? elementBytesMax)
  for await (const chunk of chunks) yield* splitter.push(chunk)
  yield* splitter.finish()
}

/**
 * The states: `start` until the opening bracket, then `gap` between elements and `string`, `nested` or `scalar` inside one,
 * `closed` after the closing bracket, and `rest` from the first byte that fits nowhere to the end of the stream.
 */
type State = 'start' | 'gap' | 'string' | 'nested' | 'scalar' | 'closed' | 'rest'

class ArraySplitter {
  readonly #elementBytesMax: number
  #state: State = 'start'
  #depth = 0
  #inString = false
  #escaped = false
  #gap: Uint8Array[] = []
  #held: Uint8Array[] = []
  #heldBytes = 0

  constructor(elementBytesMax: number) {
    this.#elementBytesMax = elementBytesMax
  }

  *push(chunk: Uint8Array): Generator<ArrayPart> {
    let from = 0
    for (let at = 0; at < chunk.length && this.#state !== 'rest'; at += 1) {
      const byte = chunk[at] ?? 0
      if (this.#isBetween()) {
        if (this.#stepBetween(byte)) continue
        this.#keep(chunk.subarray(from, at))
        from = at
        this.#begin(byte)
      } else {
        const end = this.#stepInside(byte, at)
        if (end === undefined) continue
        this.#keep(chunk.subarray(from, end))
        yield this.#take('element')
        this.#state = 'gap'
        from = end
        at = end - 1
      }
    }
    this.#keep(chunk.subarray(from))
    if (this.#heldBytes > this.#elementBytesMax) this.#state = 'rest'
    if (this.#state === 'rest' && this.#heldBytes > Math.min(restBytesMax, this.#elementBytesMax))
      yield this.#take('rest')
  }

  *finish(): Generator<ArrayPart | ArrayEnd> {
    if (this.#heldBytes > 0) yield this.#take(this.#state === 'rest' ? 'rest' : 'element')
    yield { type: 'end', after: Buffer.concat(this.#gap) }
  }

  #isBetween(): boolean {
    return this.#state === 'start' || this.#state === 'gap' || this.#state === 'closed'
  }

  /** True where the byte belongs to what stands between elements. */
  #stepBetween(byte: number): boolean {
    if (isJsonSpace(byte)) return true
    if (this.#state === 'gap') {
      if (byte === closeBracket) this.#state = 'closed'
      return byte === closeBracket || byte === comma
    }
    const isStart = this.#state === 'start'
    if (byte === openBracket) this.#state = 'gap'
    return byte === openBracket || (isStart && byteOrderMark.has(byte))
  }

  #begin(byte: number): void {
    this.#inString = byte === quote
    this.#escaped = false
    this.#depth = byte === openBrace || byte === openBracket ? 1 : 0
    if (this.#state !== 'gap') this.#state = 'rest'
    else if (byte === quote) this.#state = 'string'
    else this.#state = this.#depth === 1 ? 'nested' : 'scalar'
  }

  /** Where the element ends (the position after its last byte), or undefined where it goes on. */
  #stepInside(byte: number, at: number): number | undefined {
    if (this.#state === 'scalar') {
      return isJsonSpace(byte) || byte === comma || byte === closeBracket || byte === closeBrace ? at : undefined
    }
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false
      else if (byte === backslash) this.#escaped = true
      else if (byte === quote) this.#inString = false
      return this.#state === 'string' && !this.#inString ? at + 1 : undefined
    }
    if (byte === quote) this.#inString = true
    else if (byte === openBrace || byte === openBracket) this.#depth += 1
    else if (byte === closeBrace || byte === closeBracket) this.#depth -= 1
    return this.#depth === 0 ? at + 1 : undefined
  }

  #keep(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    if (this.#isBetween()) {
      this.#gap.push(bytes)
    } else {
      this.#held.push(bytes)
      this.#heldBytes += bytes.length
    }
  }

  #take(type: 'element' | 'rest'): ArrayPart {
    const part = { type, before: Buffer.concat(this.#gap), bytes: Buffer.concat(this.#held) }
    this.#gap = []
    this.#held = []
    this.#heldBytes = 0
    return part
  }
}
