import { VerbatimError } from '../errors.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import { DamagedObject } from './archive-object.ts'

/** An object as it was read, or what is wrong with it. */
export type ReadObject<T> = { readonly value: T; readonly bytes: Uint8Array } | { readonly problem: string }

/**
 * Reads an object of the archive. Throws UnavailableError where the archive does not answer: what is said of an object holds
 * whenever it is asked for.
 */
export async function readObject<T>(
  archive: ArchiveStore,
  key: string,
  decode: (bytes: Uint8Array) => Promise<T>,
): Promise<ReadObject<T>> {
  const bytes = await archive.get(key)
  if (bytes === undefined) return { problem: 'it is missing' }
  try {
    return { value: await decode(bytes), bytes }
  } catch (error) {
    if (error instanceof VerbatimError) throw error
    // What is whole and cannot be read all the same was written by a version that this one does not know.
    return { problem: error instanceof DamagedObject ? error.message : 'it cannot be read by this version' }
  }
}
