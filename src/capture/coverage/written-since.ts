import { open } from 'node:fs/promises'

import { codeOf } from '../../errors.ts'
import { isCompressed } from '../../transcripts/bytes/file-bytes.ts'

const lineBytesMax = 64 * 1024
/** Transcripts of all clients that are lines name an entry's time so. */
const timestamp = /"timestamp"\s*:\s*"(\d{4}-\d{2}-\d{2}T[\d:.]+(?:Z|[+-]\d{2}:?\d{2}))"/u

interface WrittenFile {
  readonly path: string
  /** Where in the file what is asked about begins. */
  readonly fromByte: number
  readonly modifiedAtMs: number
}

/**
 * When what stands in a file from a place on was written, in ms since 1970: the time in the line there, or else when the file
 * was last written. A file that goes on growing is always young, what is missing of it may not be.
 */
export async function writtenSince({ path, fromByte, modifiedAtMs }: WrittenFile): Promise<number> {
  if (isCompressed(path)) return modifiedAtMs
  try {
    await using handle = await open(path, 'r')
    const { birthtimeMs } = await handle.stat()
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(lineBytesMax), 0, lineBytesMax, fromByte)
    const written = Date.parse(timestamp.exec(buffer.toString('utf8', 0, bytesRead))?.[1] ?? '')
    // A fork begins with copies of older lines, which were written here when the file was made.
    return Number.isNaN(written) ? modifiedAtMs : Math.min(Math.max(written, birthtimeMs), modifiedAtMs)
  } catch (error) {
    // It went away, or may not be read, which an import says.
    if (codeOf(error) === undefined) throw error
    return modifiedAtMs
  }
}
