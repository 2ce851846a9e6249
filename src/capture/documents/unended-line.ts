import { open } from 'node:fs/promises'

const lineFeed = 0x0a
const firstBytes = 64 * 1024
/** A line that is longer is taken for one that is not whole. */
const readBytesMax = 64 * 1024 * 1024

/** The end of a file behind its last line end. */
export interface UnendedLine {
  readonly bytes: number
  /** Whether it is a JSON value: then only its line end is missing. */
  readonly isWhole: boolean
}

/** The last line of a file, where it has not ended; undefined where it has, or is blank. Throws what keeps the file from being read. */
export async function unendedLine(path: string): Promise<UnendedLine | undefined> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    for (let length = Math.min(firstBytes, size); ; length = Math.min(length * 4, size)) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, size - length)
      const read = buffer.subarray(0, bytesRead)
      const from = read.lastIndexOf(lineFeed) + 1
      if (from > 0 || length === size) return asLine(read.subarray(from))
      if (length >= readBytesMax) return { bytes: length, isWhole: false }
    }
  } finally {
    await file.close()
  }
}

function asLine(bytes: Uint8Array): UnendedLine | undefined {
  const text = Buffer.from(bytes).toString('utf8')
  if (text.trim() === '') return undefined
  try {
    JSON.parse(text)
    return { bytes: bytes.length, isWhole: true }
  } catch {
    // The rest of it was not written.
    return { bytes: bytes.length, isWhole: false }
  }
}
