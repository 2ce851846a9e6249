import { mkdir, open, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { InputError, messageOf } from '../errors.ts'
import type { ExportDirectory } from '../rights/export-files.ts'

/** Writes into a new directory that only its owner reads, and leaves none behind where that fails half way. */
export async function writeNewDirectory<T>(
  path: string,
  write: (directory: ExportDirectory) => Promise<T>,
): Promise<T> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    throw new InputError(`Cannot make the directory "${path}": ${messageOf(error)}`, {
      remedy: 'Name a directory that does not exist yet, in one that may be written',
      cause: error,
    })
  }
  try {
    return await write({ create: (name) => createFile(join(path, name)) })
  } catch (error) {
    await rm(path, { recursive: true, force: true })
    throw error
  }
}

async function createFile(path: string) {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const file = await open(path, 'wx', 0o600)
  return { write: (text: string) => file.appendFile(text), close: () => file.close() }
}
