import { promisify } from 'node:util'
import { constants, brotliCompress, brotliDecompress } from 'node:zlib'

import { sha256 } from '../model/payload.ts'

/**
 * How every object of an archive is written (docs/archive.md): `VRBA`, the format's version in one byte, the length of the
 * header in four (big-endian), the header as JSON, the body compressed with brotli, and the SHA-256 of all that.
 *
 * The header stays readable for who holds no key: only the body is what a seal would go around.
 */
const magic = Buffer.from('VRBA')
const formatVersion = 1
const digestBytes = 32
const frontBytes = magic.length + 1 + 4
const quality = 5

const compress = promisify(brotliCompress)
const decompress = promisify(brotliDecompress)

/** The bytes of an object are not what was written, or were written by a newer version. */
export class DamagedObject extends Error {
  override readonly name = 'DamagedObject'
}

/** The header is JSON, `body_bytes` among it, which is added here. */
export async function encodeObject(header: Readonly<Record<string, unknown>>, body: Uint8Array): Promise<Buffer> {
  const head = Buffer.from(JSON.stringify({ ...header, body_bytes: body.length }))
  const front = Buffer.alloc(frontBytes)
  magic.copy(front)
  front.writeUInt8(formatVersion, magic.length)
  front.writeUInt32BE(head.length, magic.length + 1)
  const params = { [constants.BROTLI_PARAM_QUALITY]: quality, [constants.BROTLI_PARAM_SIZE_HINT]: body.length }
  const written = Buffer.concat([front, head, await compress(body, { params })])
  return Buffer.concat([written, sha256(written)])
}

/** Gives back what was encoded. Throws DamagedObject where a single bit is another. */
export async function decodeObject(bytes: Uint8Array): Promise<{ readonly header: unknown; readonly body: Buffer }> {
  const object = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (object.length < frontBytes + digestBytes || !object.subarray(0, magic.length).equals(magic))
    throw new DamagedObject('it is no object of an archive')
  const written = object.subarray(0, -digestBytes)
  if (!sha256(written).equals(object.subarray(-digestBytes)))
    throw new DamagedObject('its bytes do not match the SHA-256 in it')
  const version = object.readUInt8(magic.length)
  if (version !== formatVersion) throw new DamagedObject(`it was written in the format ${version}, of a newer version`)
  const headEnd = frontBytes + object.readUInt32BE(magic.length + 1)
  const header: unknown = JSON.parse(object.subarray(frontBytes, headEnd).toString('utf8'))
  return { header, body: await decompress(written.subarray(headEnd)) }
}
