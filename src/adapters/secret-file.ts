import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'

import { codeOf, UnavailableError } from '../errors.ts'
import { makeOnce } from '../make-once.ts'

const secretBytes = 32
/** A secret that is kept in a file of its own. */
export interface SecretFile {
  readonly path: string
  /** What cannot be done any more where the file is not what it was. */
  readonly lost: string
}

/** What heads of the audit log are signed with. */
export function auditKeyFile(path: string): SecretFile {
  return { path, lost: 'Heads of the audit log that were signed before are told as those of another key without it' }
}

/**
 * 32 secret bytes: made at the first use and kept in a file that only its owner reads. Of several processes that need it at once
 * one makes it, and the others read it. Throws UnavailableError where the file holds something else.
 */
export async function readSecretFile(secret: SecretFile): Promise<Uint8Array> {
  const there = await findSecretFile(secret)
  if (there !== undefined) return there
  await makeOnce(secret.path, randomBytes(secretBytes))
  return wholeSecret(await readFile(secret.path), secret)
}

/** As `readSecretFile`, but undefined where there is no such file. */
export async function findSecretFile(secret: SecretFile): Promise<Uint8Array | undefined> {
  try {
    return wholeSecret(await readFile(secret.path), secret)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function wholeSecret(bytes: Uint8Array, { path, lost }: SecretFile): Uint8Array {
  if (bytes.length === secretBytes) return bytes
  throw new UnavailableError(
    `Cannot use the file "${path}" as a key as it has ${bytes.length} bytes and not ${secretBytes}`,
    { remedy: `Put back the file as it was. ${lost}` },
  )
}
