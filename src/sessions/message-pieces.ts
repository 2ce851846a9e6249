import { decodeUtf8 } from '../model/messages/payload.ts'
import type { MessageRow } from '../store/messages.ts'
import { messageInPieces, type MessageBody, type MessageDocument, type PartOfText } from './document.ts'
import { elementBytes, jsonStringBytes, prettyBytes } from './json-size.ts'

/** A piece is never shorter: a page must get on, however little room its head leaves. */
const pieceBytesMin = 160
/** The two numbers of a part, and the names and line breaks around them and its text. */
const partBytes = 130

/** The end of a character at or before `end`: a UTF-8 continuation byte is 10xxxxxx. */
function borderBefore(bytes: Uint8Array, end: number): number {
  let border = end
  while (border < bytes.length && ((bytes[border] ?? 0) & 0xc0) === 0x80) border--
  return border
}

/**
 * The longest piece from `offset` whose JSON takes at most `roomBytes`. It does not cut a character in two; where the
 * bytes are not text it is base64, cut at three bytes so that the pieces in order are the base64 of all.
 */
function partOf(bytes: Uint8Array, offset: number, roomBytes: number): { part: PartOfText; end: number } {
  const isText = decodeUtf8(bytes) !== undefined
  const endAt = (length: number) =>
    isText
      ? borderBefore(bytes, Math.min(bytes.length, offset + length))
      : Math.min(bytes.length, offset + Math.max(Math.floor(length / 3) * 3, 3))
  const textTo = (to: number) => Buffer.from(bytes.subarray(offset, to)).toString(isText ? 'utf8' : 'base64')
  let length = Math.floor(isText ? roomBytes : (roomBytes * 3) / 4)
  let end = endAt(length)
  // A quote takes two bytes of JSON, a control character six: shorten until it fits.
  for (let size = jsonStringBytes(textTo(end)); size > roomBytes && length > 16; size = jsonStringBytes(textTo(end))) {
    length = Math.min(length - 1, Math.floor((length * roomBytes) / size))
    end = endAt(Math.max(length, 16))
  }
  return { part: { offset_bytes: offset, total_bytes: bytes.length, text: textTo(end) }, end }
}

/**
 * A piece of a message that is too large for one page: of its exact text, then, where that is too large as well, of the
 * JSON of its metadata. `offset` counts through both. `next` is the offset of the next piece, undefined after the last.
 */
export function pieceOfMessage(
  message: MessageRow,
  body: MessageBody,
  place: { readonly offset: number; readonly roomBytes: number },
): { readonly document: MessageDocument; readonly next: number | undefined } {
  const { offset, roomBytes } = place
  const payload = 'payload' in body ? body.payload : new Uint8Array()
  const { frame, metadataJson } = messageInPieces(message, body)
  // Its compact form is a lower bound, so that a huge one is not parsed.
  const isSmall =
    metadataJson.length <= roomBytes / 4 &&
    prettyBytes(JSON.parse(metadataJson), { depth: 3, bytesMax: roomBytes / 4 }) <= roomBytes / 4
  const whole: MessageDocument = isSmall ? { ...frame, metadata: JSON.parse(metadataJson) } : frame
  const room = (document: MessageDocument) =>
    Math.max(roomBytes - elementBytes(document, roomBytes) - partBytes, pieceBytesMin)

  if (offset < payload.length || isSmall) {
    if (!('payload' in body)) return { document: whole, next: undefined }
    const { part, end } = partOf(payload, Math.min(offset, payload.length), room(whole))
    return { document: { ...whole, content_part: part }, next: end < payload.length || !isSmall ? end : undefined }
  }
  const metadata = Buffer.from(metadataJson)
  // Whoever puts the pieces of the content together reads this one as the empty end of them.
  const contentEnd = { offset_bytes: payload.length, total_bytes: payload.length, text: '' }
  const document = { ...frame, ...('payload' in body ? { content_part: contentEnd } : {}) }
  const metadataOffset = Math.min(Math.max(offset - payload.length, 0), metadata.length)
  const { part, end } = partOf(metadata, metadataOffset, room(document))
  return {
    document: { ...document, metadata_part: part },
    next: end < metadata.length ? payload.length + end : undefined,
  }
}
