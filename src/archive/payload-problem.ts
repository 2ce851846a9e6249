import { BrokenSeal } from '../crypto/aead.ts'
import type { RowSeal } from '../crypto/row-seal.ts'
import { sha256 } from '../model/messages/payload.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import type { ArchivedMessage } from '../store/archive/archived-messages.ts'

/**
 * What is wrong with the payload of an archived message; undefined where nothing is. A large payload is an object of its own,
 * and is not restored but left where it is.
 */
export async function payloadProblem(
  archive: ArchiveStore,
  { record, payload }: ArchivedMessage,
  seal: RowSeal | undefined,
): Promise<{ readonly object?: string; readonly problem: string } | undefined> {
  const { payload_location: location, payload_sha256: expected, id } = record
  const stored = location === undefined ? payload : await archive.get(location)
  const bytes = location === undefined ? stored : openPayload({ location, stored, seal })
  const object = location === undefined ? {} : { object: location }
  if (bytes === undefined || bytes === null) return { ...object, problem: `the payload of message ${id} is missing` }
  if (sha256(bytes).toString('hex') === expected) return undefined
  return { ...object, problem: `the payload of message ${id} does not match its SHA-256` }
}

/** A large payload as it was saved; null where it is missing or does not open. */
export function openPayload(payload: {
  readonly location: string
  readonly stored: Uint8Array | null | undefined
  readonly seal: RowSeal | undefined
}): Uint8Array | null {
  const { location, stored, seal } = payload
  if (stored === null || stored === undefined || seal === undefined) return stored ?? null
  try {
    return seal.openObject(location, stored)
  } catch (error) {
    if (error instanceof BrokenSeal) return null
    throw error
  }
}
