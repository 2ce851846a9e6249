import { BrokenSeal } from '../crypto/aead.ts'
import type { RowSeal } from '../crypto/row-seal.ts'
import { DamagedPayload } from '../errors.ts'
import { limits } from '../limits.ts'
import { sha256 } from '../model/messages/payload.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import type { MessageRow } from '../store/messages.ts'
import type { NewMessage } from '../store/saving/save-messages.ts'

/** A message with all its bytes, whatever their number. */
export type PreparedMessage = NewMessage & { readonly payload: { readonly bytes: Uint8Array } }

/**
 * Decides where a payload lives. A large one is put into the archive store, under the hash of its bytes, before the
 * message that refers to it is stored: a crash in between leaves an object that the retry finds again. Who stores the message
 * holds it (`holdPayloads`). What is sealed is under its masked hash and the version of the key.
 */
export async function placePayload<Message extends Pick<PreparedMessage, 'sha256' | 'payload'>>(
  archive: ArchiveStore,
  message: Message,
  seal: RowSeal | undefined,
): Promise<Message | (Omit<Message, 'payload'> & Pick<NewMessage, 'payload'>)> {
  const { bytes } = message.payload
  if (bytes.length <= limits.inlinePayloadBytesMax) return message
  const location = payloadLocation(message.sha256, seal)
  await archive.put(location, seal === undefined ? bytes : seal.sealObject(location, bytes))
  return { ...message, payload: { location, sizeBytes: bytes.length } }
}

/** Where a large payload is in the archive. */
export function payloadLocation(sha256: Uint8Array, seal: RowSeal | undefined): string {
  const hex = Buffer.from(seal === undefined ? sha256 : seal.mask(sha256)).toString('hex')
  const name = `payloads/${hex.slice(0, 2)}/${hex}`
  return seal === undefined ? name : `${name}.k${seal.version}`
}

/**
 * The exact bytes of a stored message, wherever they live, checked against the hash that was taken when they were
 * saved. Throws DamagedPayload, naming the message, where they are missing or altered; UnavailableError where the archive is away.
 */
export async function loadPayload(archive: ArchiveStore, message: MessageRow): Promise<Uint8Array> {
  if (message.damage !== undefined) throw damaged(message, message.damage)
  const bytes = message.payload ?? (await archivedPayload(archive, message))
  if (bytes === undefined) {
    throw new DamagedPayload(`Cannot read message "${message.id}" as its archived payload is missing`, {
      remedy:
        'Run "verbatim verify" for a full list of damaged messages, then restore the archive directory from a backup',
    })
  }
  if (Buffer.compare(sha256(bytes), message.payloadSha256) !== 0) {
    throw damaged(message, 'its stored bytes do not match their SHA-256')
  }
  return bytes
}

async function archivedPayload(archive: ArchiveStore, message: MessageRow): Promise<Uint8Array | undefined> {
  const { payloadLocation: location, seal } = message
  const bytes = location === null ? undefined : await archive.get(location)
  if (location === null || bytes === undefined || seal === undefined) return bytes
  try {
    return seal.openObject(location, bytes)
  } catch (error) {
    if (error instanceof BrokenSeal) throw damaged(message, 'its encrypted bytes in the archive were altered or moved')
    throw error
  }
}

function damaged(message: MessageRow, why: string): DamagedPayload {
  return new DamagedPayload(`Cannot read message "${message.id}" as ${why}`, {
    remedy: 'Run "verbatim verify" for a full list of damaged messages, then restore them from a backup',
  })
}
