import { promisify } from 'node:util'
import { constants, brotliCompress, brotliDecompress } from 'node:zlib'

import { BrokenSeal } from '../crypto/aead.ts'
import type { RowSeal } from '../crypto/row-seal.ts'
import { sha256 } from '../model/messages/payload.ts'

/**
 * How every object of an archive is written (docs/archive.md): `VRBA`, the format's version in one byte, the length of the
 * header in four (big-endian), the header as JSON, the body compressed with brotli, and the SHA-256 of all that. In format 2
 * the compressed body is sealed, under the version of the key that the header names, and bound to the header.
 *
 * The header stays readable for who holds no key: it says where the object belongs, and nothing of what is in it.
 */
const magic = Buffer.from('VRBA')
const plainFormat = 1
const sealedFormat = 2
const digestBytes = 32
const frontBytes = magic.length + 1 + 4
const quality = 5

const compress = promisify(brotliCompress)
const decompress = promisify(brotliDecompress)

/** The bytes of an object are not what was written, or were written by a newer version. */
export class DamagedObject extends Error {
  override readonly name = 'DamagedObject'
}

/** What opens an object, by its header and the version of the key; undefined where there is no such key. */
export type OpenSeal = (header: unknown, version: number) => Promise<RowSeal | undefined>

export interface DecodedObject {
  readonly header: unknown
  readonly body: Buffer
  /** What it was sealed with; undefined where it was not. */
  readonly seal: RowSeal | undefined
}

/** A hash of what an object holds, that may stand where others see it. */
export function digestOf(bytes: Uint8Array, seal: RowSeal | undefined): Buffer {
  return seal === undefined ? sha256(bytes) : seal.digest(bytes)
}

/** Whether an object of an archive is sealed, as it says itself. */
export function isSealedObject(bytes: Uint8Array): boolean {
  return bytes[magic.length] === sealedFormat
}

/** The header is JSON; `body_bytes` is added to it here, and `key_version` where the body is sealed. */
export async function encodeObject(
  header: Readonly<Record<string, unknown>>,
  body: Uint8Array,
  seal: RowSeal | undefined,
): Promise<Buffer> {
  const key = seal === undefined ? {} : { key_version: seal.version }
  const head = Buffer.from(JSON.stringify({ ...header, body_bytes: body.length, ...key }))
  const front = Buffer.alloc(frontBytes)
  magic.copy(front)
  front.writeUInt8(seal === undefined ? plainFormat : sealedFormat, magic.length)
  front.writeUInt32BE(head.length, magic.length + 1)
  const params = { [constants.BROTLI_PARAM_QUALITY]: quality, [constants.BROTLI_PARAM_SIZE_HINT]: body.length }
  const compressed = await compress(body, { params })
  const stored = seal === undefined ? compressed : seal.sealObject(placeOf(head), compressed)
  const written = Buffer.concat([front, head, stored])
  return Buffer.concat([written, sha256(written)])
}

/** Gives back what was encoded. Throws DamagedObject where a single bit is another, or its key is not there. */
export async function decodeObject(bytes: Uint8Array, openSeal: OpenSeal): Promise<DecodedObject> {
  const object = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (object.length < frontBytes + digestBytes || !object.subarray(0, magic.length).equals(magic))
    throw new DamagedObject('it is no object of an archive')
  const written = object.subarray(0, -digestBytes)
  if (!sha256(written).equals(object.subarray(-digestBytes)))
    throw new DamagedObject('its bytes do not match the SHA-256 in it')
  const format = object.readUInt8(magic.length)
  if (format !== plainFormat && format !== sealedFormat)
    throw new DamagedObject(`it was written in the format ${format}, of a newer version`)
  const headEnd = frontBytes + object.readUInt32BE(magic.length + 1)
  const head = object.subarray(frontBytes, headEnd)
  const header: unknown = JSON.parse(head.toString('utf8'))
  const stored = written.subarray(headEnd)
  if (format === plainFormat) return { header, body: await decompress(stored), seal: undefined }
  const seal = await openSeal(header, keyVersionOf(header))
  if (seal === undefined) throw new DamagedObject('the key that opens it is missing or was altered')
  return { header, body: await decompress(opened(seal, head, stored)), seal }
}

/** Who can write objects can also write a SHA-256 that fits: that an object was not altered is what the seal proves. */
function opened(seal: RowSeal, head: Uint8Array, stored: Uint8Array): Buffer {
  try {
    return seal.openObject(placeOf(head), stored)
  } catch (error) {
    if (error instanceof BrokenSeal) throw new DamagedObject('its encrypted bytes were altered or moved')
    throw error
  }
}

function placeOf(head: Uint8Array): string {
  return `archive ${sha256(head).toString('hex')}`
}

function keyVersionOf(header: unknown): number {
  const version = typeof header === 'object' && header !== null && 'key_version' in header ? header.key_version : 0
  return typeof version === 'number' ? version : 0
}
