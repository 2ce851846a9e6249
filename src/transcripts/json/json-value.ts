import { isJsonObject } from '../../model/json/json.ts'
import { jsonValueEnd, skipJsonSpace, type JsonSpan } from './json-spans.ts'

export type ParsedJson =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: string }

/** Parses the bytes of one JSON value. Invalid UTF-8 reads as U+FFFD: the entry's own bytes are kept beside it. */
export function parseJson(bytes: Uint8Array): ParsedJson {
  try {
    const value: unknown = JSON.parse(utf8(bytes))
    return { ok: true, value }
  } catch (error) {
    // The engine's message quotes the content, so it says only what kind of fault it is.
    return { ok: false, problem: error instanceof SyntaxError ? 'Not valid JSON' : 'Too large to read as JSON' }
  }
}

export function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}

/**
 * Objects that a crash glued on one line, each with its span; what follows the last sound one has `value` undefined.
 * Undefined where the line does not begin with a sound object.
 */
export function gluedObjects(bytes: Uint8Array): readonly (JsonSpan & { readonly value: unknown })[] | undefined {
  const found: (JsonSpan & { readonly value: unknown })[] = []
  let start = 0
  while (start < bytes.length) {
    const opening = skipJsonSpace(bytes, start)
    const end = bytes[opening] === 0x7b ? jsonValueEnd(bytes, opening) : undefined
    const parsed = end === undefined ? undefined : parseJson(bytes.subarray(start, end))
    if (end === undefined || parsed?.ok !== true || !isJsonObject(parsed.value)) break
    found.push({ start, end, value: parsed.value })
    start = end
  }
  if (found.length === 0) return undefined
  if (start < bytes.length) found.push({ start, end: bytes.length, value: undefined })
  return found
}
