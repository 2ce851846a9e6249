import { createHash } from 'node:crypto'

import { textOfContent } from './content.ts'

/** JSON as an MCP caller or a transcript gave it; anything that is not UTF-8 JSON is kept as raw bytes. */
export const jsonMediaType = 'application/json'
export const binaryMediaType = 'application/octet-stream'
export const textMediaType = 'text/plain'

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}

/** Decodes UTF-8, or undefined where the bytes are not UTF-8. A byte order mark is kept. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(bytes)
  } catch (error) {
    if (error instanceof TypeError) return undefined
    throw error
  }
}

/** A payload as a JSON reader sees it: the parsed value, the text, or base64 where it is neither. */
export type DecodedPayload =
  | { readonly encoding: 'json'; readonly value: unknown }
  | { readonly encoding: 'text'; readonly value: string }
  | { readonly encoding: 'base64'; readonly value: string }

export function decodePayload(payload: Uint8Array, mediaType: string): DecodedPayload {
  const text = decodeUtf8(payload)
  if (text === undefined) return { encoding: 'base64', value: Buffer.from(payload).toString('base64') }
  if (mediaType === jsonMediaType) {
    try {
      return { encoding: 'json', value: JSON.parse(text) }
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
    }
  }
  return { encoding: 'text', value: text }
}

/** The text of a payload whose message stores none of its own. */
export function textOfPayload(payload: Uint8Array, mediaType: string): string {
  const decoded = decodePayload(payload, mediaType)
  switch (decoded.encoding) {
    case 'json':
      return textOfContent(decoded.value)
    case 'text':
      return decoded.value
    case 'base64':
      return ''
    default:
      return decoded satisfies never
  }
}
