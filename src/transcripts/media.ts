import { isJsonObject } from '../model/json/json.ts'
import { readableJson as readable } from '../model/json/readable-json.ts'
import { field, textField } from './fields.ts'

/** Shorter payloads stay: they are rather examples in prose than media. */
const inlineCharactersMin = 64
const dataUrls = /data:([\w.+-]+\/[\w.+-]+)(?:;[\w=.+-]+)*;base64,([A-Za-z0-9+/_-]+={0,2})/gu
const base64Only = /^[A-Za-z0-9+/_-]+={0,2}$/u
const payloadNames = ['data', 'base64', 'b64_json', 'bytes', 'inline_base64'] as const
const typeNames = ['mimeType', 'mime_type', 'media_type', 'mediaType', 'format'] as const

/** What stands in a text for media: its type and its size in bytes, never its data. */
function mediaMarker(type: string, sizeBytes?: number): string {
  return sizeBytes === undefined ? `[${type}]` : `[${type}, ${sizeBytes} bytes]`
}

/** A text with every longer `data:` URL replaced by its marker. */
export function withoutDataUrls(text: string): string {
  if (!text.includes(';base64,')) return text
  return text.replace(dataUrls, (url: string, type: string, payload: string) =>
    payload.length < inlineCharactersMin ? url : mediaMarker(type, base64Bytes(payload)),
  )
}

/** The marker of an object that carries base64 data, or undefined where it carries none. */
export function inlineMedia(value: unknown): string | undefined {
  if (!isJsonObject(value)) return undefined
  const type = typeNames.map((name) => textField(value, name)).find((found) => found !== undefined)
  for (const name of payloadNames) {
    const payload = field(value, name)
    if (typeof payload !== 'string' || !base64Only.test(payload)) continue
    // Without a media type a short word under such a name is text, not data.
    if (type?.includes('/') !== true && payload.length < inlineCharactersMin * 4) continue
    return mediaMarker(type ?? 'data', base64Bytes(payload))
  }
  return undefined
}

/** The marker of an image, sound or document block: inline data, a URL, or just what it is. */
export function mediaBlock(block: unknown, kind: string): string {
  const sources = [
    field(block, 'source'),
    block,
    field(block, 'image_url'),
    field(block, 'input_audio'),
    field(block, 'file'),
  ]
  for (const source of sources) {
    const marker = inlineMedia(source) ?? (typeof source === 'string' ? urlMarker(source, kind) : undefined)
    if (marker !== undefined) return marker
    const url = textField(source, 'url') ?? textField(source, 'uri') ?? textField(source, 'file_id')
    if (url !== undefined) return urlMarker(url, kind)
  }
  return mediaMarker(textField(block, 'mimeType') ?? textField(block, 'source', 'media_type') ?? kind)
}

function urlMarker(url: string, kind: string): string {
  const marker = withoutDataUrls(url)
  return marker === url ? `[${kind}, ${url}]` : marker
}

function base64Bytes(payload: string): number {
  return Math.floor((payload.replace(/=+$/u, '').length * 3) / 4)
}

/** A value for reading, with media replaced by markers. Text stays text. */
export function readableJson(value: unknown): string {
  return readable(value, (inner) =>
    typeof inner === 'string' ? withoutDataUrls(inner) : (inlineMedia(inner) ?? inner),
  )
}
