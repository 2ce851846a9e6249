/**
 * A zstd frame that stores its content uncompressed (RFC 8878: single segment, raw blocks), because Node 20 cannot
 * compress. Content up to 128 KiB.
 */
export function zstdFrame(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content)
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0, 0, 0, 0])
  header.writeUInt32LE(bytes.length, 5)
  // The block's header: one bit for the last block, two for its type, the rest for its size.
  header.writeUIntLE((bytes.length << 3) | 1, 9, 3)
  return Buffer.concat([header, bytes])
}
