import { createHash } from 'node:crypto'

import { limits } from '../limits.ts'
import { binaryMediaType, decodeUtf8, jsonMediaType, textMediaType } from '../model/payload.ts'
import type { TranscriptEntry } from '../transcripts/format.ts'

/** Names and ids from files are cut to what the store takes; the exact ones are in the entry's bytes. */
export function cleanName(text: string, charactersMax: number): string {
  const clean = text.toWellFormed().replaceAll('\0', '\u{fffd}')
  return clean.length > charactersMax ? clean.slice(0, charactersMax).toWellFormed() : clean
}

/** An id is never cut, since two long ones could become one: a hash stands for it. */
export function cleanId(id: string): string {
  const fits = id.length > 0 && id.length <= limits.idCharactersMax - 20 && id.isWellFormed() && !id.includes('\0')
  return fits ? id : `#${createHash('sha256').update(id).digest('hex').slice(0, 32)}`
}

export function mediaTypeOf(entry: TranscriptEntry): string {
  if (entry.kind !== 'damaged') return jsonMediaType
  return decodeUtf8(entry.bytes) === undefined ? binaryMediaType : textMediaType
}

export function senderOf(entry: TranscriptEntry, format: string): string {
  const named =
    entry.sender ??
    (entry.role === 'assistant' ? (entry.model ?? 'assistant') : entry.role === 'custom' ? format : entry.role)
  return cleanName(named.length === 0 ? entry.role : named, limits.nameCharactersMax)
}

/** The ids of a document's entries: the source's own, or one made from the bytes for an entry that has none. */
export class EntryIds {
  /** How often the same bytes have come in a session. */
  readonly #occurrences = new Map<string, number>()

  idOf(entry: TranscriptEntry, sha256: Uint8Array): string {
    if (entry.id !== undefined) return cleanId(entry.id)
    const hash = Buffer.from(sha256).toString('hex')
    const key = `${entry.session} ${hash}`
    const occurrence = (this.#occurrences.get(key) ?? 0) + 1
    this.#occurrences.set(key, occurrence)
    return `#${hash.slice(0, 32)}${occurrence === 1 ? '' : `.${occurrence}`}`
  }
}
