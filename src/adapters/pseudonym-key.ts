import { randomBytes, randomUUID } from 'node:crypto'
import { link, mkdir, open, readFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

import { codeOf, UnavailableError } from '../errors.ts'
import { syncDirectory } from '../sync-directory.ts'

const keyBytes = 32

/**
 * The key that pseudonyms are made with: made at the first use and kept in a file that only its owner reads. Of several
 * processes that need it at once one makes it, and the others read it.
 */
export async function readPseudonymKey(path: string): Promise<Uint8Array> {
  const key = (await readIfThere(path)) ?? (await makeKey(path))
  if (key.length === keyBytes) return key
  throw new UnavailableError(
    `Cannot use the file "${path}" as a key as it has ${key.length} bytes and not ${keyBytes}`,
    {
      remedy: 'Put back the file as it was. Without it the pseudonyms that were given before cannot be given again',
    },
  )
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

async function makeKey(path: string): Promise<Uint8Array> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  // Written beside its place and synced, so that nobody reads half of it and a pseudonym that was given stays what it was.
  const temporary = `${path}.${randomUUID()}`
  const file = await open(temporary, 'wx', 0o600)
  try {
    await file.writeFile(randomBytes(keyBytes))
    await file.sync()
  } finally {
    await file.close()
  }
  try {
    await link(temporary, path)
    await syncDirectory(dirname(path))
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  } finally {
    await rm(temporary, { force: true })
  }
  return await readFile(path)
}
