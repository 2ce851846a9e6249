import { UnavailableError } from '../errors.ts'
import { limits } from '../limits.ts'
import { sha256 } from '../model/payload.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import type { MessageRow } from '../store/messages.ts'
import type { NewMessage } from '../store/save-messages.ts'

/**
 * Decides where a payload lives. A large one is put into the archive store, under the hash of its bytes, before the
 * message that refers to it is stored: a crash in between leaves an object that the retry finds again.
 */
export async function storePayload(
  archive: ArchiveStore,
  bytes: Uint8Array,
  hash: Uint8Array,
): Promise<NewMessage['payload']> {
  if (bytes.length <= limits.inlinePayloadBytesMax) return { bytes }
  const hex = Buffer.from(hash).toString('hex')
  const location = `payloads/${hex.slice(0, 2)}/${hex}`
  await archive.put(location, bytes)
  return { location, sizeBytes: bytes.length }
}

/**
 * The exact bytes of a stored message, wherever they live, checked against the hash that was taken when they were
 * saved. Throws UnavailableError, naming the message, where they are missing or altered.
 */
export async function loadPayload(archive: ArchiveStore, message: MessageRow): Promise<Uint8Array> {
  const bytes =
    message.payload ?? (message.payloadLocation === null ? undefined : await archive.get(message.payloadLocation))
  if (bytes === undefined) {
    throw new UnavailableError(`Cannot read message "${message.id}" as its archived payload is missing`, {
      remedy:
        'Run "verbatim verify" for a full list of damaged messages, then restore the archive directory from a backup',
    })
  }
  if (Buffer.compare(sha256(bytes), message.payloadSha256) !== 0) {
    throw new UnavailableError(`Cannot read message "${message.id}" as its stored bytes do not match their SHA-256`, {
      remedy: 'Run "verbatim verify" for a full list of damaged messages, then restore them from a backup',
    })
  }
  return bytes
}
