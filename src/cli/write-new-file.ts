import { open, rm, type FileHandle } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'

import { InputError, messageOf } from '../errors.ts'

/** Writes to a new file that only its owner reads, and leaves none behind where what is written fails half way. */
export async function writeNewFile(path: string, chunks: AsyncIterable<string | Uint8Array>): Promise<void> {
  let file: FileHandle
  try {
    file = await open(path, 'wx', 0o600)
  } catch (error) {
    throw new InputError(`Cannot write to "${path}": ${messageOf(error)}`, {
      remedy: 'Name a file that does not exist yet, in a directory that may be written',
      cause: error,
    })
  }
  try {
    await pipeline(chunks, file.createWriteStream())
  } catch (error) {
    await rm(path, { force: true })
    throw error
  }
}
