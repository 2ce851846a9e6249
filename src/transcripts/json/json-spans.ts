const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const colon = 0x3a
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d

/** Where a JSON value stands in a buffer: its first byte, and the byte after its last. */
export interface JsonSpan {
  readonly start: number
  readonly end: number
}

export interface JsonChild extends JsonSpan {
  /** The decoded name of an object's member; undefined for an array's element. */
  readonly key: string | undefined
  /** False for the last child of a document that was cut inside it; the span then reaches to the end of the buffer. */
  readonly complete: boolean
}

/** The direct children of an object or an array, in order. */
export interface JsonContainer extends JsonSpan {
  readonly kind: 'object' | 'array'
  readonly children: readonly JsonChild[]
  /** False where the document breaks off or goes wrong after the last child; `end` is where reading stopped. */
  readonly complete: boolean
}

export function isJsonSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

/** The first position at or after `from` that is not white space (nor a byte order mark at position 0). */
export function skipJsonSpace(bytes: Uint8Array, from: number): number {
  let at = from === 0 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : from
  while (isJsonSpace(bytes[at])) at += 1
  return at
}

/**
 * The end of the value that starts at `start`, or undefined where it does not end. Only brackets and strings are
 * followed, with a counter instead of recursion, so depth costs nothing; whether the value is sound is `JSON.parse`'s to say.
 */
export function jsonValueEnd(bytes: Uint8Array, start: number): number | undefined {
  const first = bytes[start]
  if (first === undefined) return undefined
  if (first === quote) return stringEnd(bytes, start)
  if (first === openBrace || first === openBracket) return nestedEnd(bytes, start)
  let at = start
  while (at < bytes.length && !isDelimiter(bytes[at])) at += 1
  return at === start ? undefined : at
}

/** The children of the object or array that starts at `start`; undefined where neither starts there. */
export function jsonContainer(bytes: Uint8Array, start = 0): JsonContainer | undefined {
  const opening = skipJsonSpace(bytes, start)
  const first = bytes[opening]
  if (first !== openBrace && first !== openBracket) return undefined
  const kind = first === openBrace ? 'object' : 'array'
  const closing = kind === 'object' ? closeBrace : closeBracket
  const children: JsonChild[] = []
  let at = skipJsonSpace(bytes, opening + 1)
  while (at < bytes.length) {
    if (bytes[at] === closing) return { kind, start: opening, end: at + 1, children, complete: true }
    if (bytes[at] === comma && children.length > 0) at = skipJsonSpace(bytes, at + 1)
    const child = kind === 'object' ? memberAt(bytes, at) : elementAt(bytes, at, undefined)
    if (child === undefined) break
    children.push(child)
    if (!child.complete) return { kind, start: opening, end: child.end, children, complete: false }
    at = skipJsonSpace(bytes, child.end)
  }
  return { kind, start: opening, end: at, children, complete: false }
}

/** The children of the container at `span`, or of the member of that name; empty where there is none. */
export function childrenOf(bytes: Uint8Array, container: JsonContainer, key: string): JsonContainer | undefined {
  const member = container.children.find((child) => child.key === key)
  return member === undefined ? undefined : jsonContainer(bytes, member.start)
}

function memberAt(bytes: Uint8Array, at: number): JsonChild | undefined {
  if (bytes[at] !== quote) return undefined
  const keyEnd = stringEnd(bytes, at)
  if (keyEnd === undefined) return undefined
  const separator = skipJsonSpace(bytes, keyEnd)
  if (bytes[separator] !== colon) return undefined
  return elementAt(bytes, skipJsonSpace(bytes, separator + 1), decodeKey(bytes.subarray(at, keyEnd)))
}

function elementAt(bytes: Uint8Array, start: number, key: string | undefined): JsonChild | undefined {
  const end = jsonValueEnd(bytes, start)
  if (end !== undefined) return { key, start, end, complete: true }
  const opens = bytes[start] === quote || bytes[start] === openBrace || bytes[start] === openBracket
  return opens ? { key, start, end: bytes.length, complete: false } : undefined
}

function decodeKey(bytes: Uint8Array): string {
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  try {
    const key: unknown = JSON.parse(raw)
    return typeof key === 'string' ? key : raw
  } catch {
    // A name with a broken escape is no name that a format looks for; its raw text serves as well.
    return raw
  }
}

function stringEnd(bytes: Uint8Array, start: number): number | undefined {
  for (let at = start + 1; at < bytes.length; at += 1) {
    const byte = bytes[at]
    if (byte === backslash) at += 1
    else if (byte === quote) return at + 1
  }
  return undefined
}

function nestedEnd(bytes: Uint8Array, start: number): number | undefined {
  let depth = 0
  for (let at = start; at < bytes.length; at += 1) {
    const byte = bytes[at]
    if (byte === quote) {
      const end = stringEnd(bytes, at)
      if (end === undefined) return undefined
      at = end - 1
    } else if (byte === openBrace || byte === openBracket) {
      depth += 1
    } else if (byte === closeBrace || byte === closeBracket) {
      depth -= 1
      if (depth === 0) return at + 1
    }
  }
  return undefined
}

function isDelimiter(byte: number | undefined): boolean {
  return isJsonSpace(byte) || byte === comma || byte === colon || byte === closeBrace || byte === closeBracket
}
