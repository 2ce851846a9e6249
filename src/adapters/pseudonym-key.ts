import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'

import { codeOf, UnavailableError } from '../errors.ts'
import { makeOnce } from '../make-once.ts'

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

/** Synced, so that a pseudonym that was given stays what it was. */
async function makeKey(path: string): Promise<Uint8Array> {
  await makeOnce(path, randomBytes(keyBytes))
  return await readFile(path)
}
