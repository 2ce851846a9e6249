import { createHash } from 'node:crypto'

import { limits } from '../../limits.ts'
import type { TokenUsage } from '../../model/messages/message.ts'
import { binaryMediaType, decodeUtf8, jsonMediaType, textMediaType } from '../../model/messages/payload.ts'
import type { TranscriptEntry } from '../../transcripts/format.ts'

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

/** Token counts are stored as integers of 32 bits. */
const countMax = 2 ** 31 - 1

function storedCount(count: number | undefined): number | undefined {
  return count !== undefined && Number.isInteger(count) && count >= 0 && count <= countMax ? count : undefined
}

/** The counts that the store can hold; a count that is none is left out and stays in the entry's bytes. */
export function usageOf(entry: TranscriptEntry): TokenUsage | undefined {
  if (entry.usage === undefined) return undefined
  const usage: { -readonly [Part in keyof TokenUsage]: number } = {}
  for (const part of ['input', 'output', 'cacheRead', 'cacheWrite'] as const) {
    const count = storedCount(entry.usage[part])
    if (count !== undefined) usage[part] = count
  }
  return usage
}

/**
 * The text to store beside the bytes, also where it is empty: what is not worth reading must not be read out of the
 * payload. Undefined, which means that readers take it from the payload, for damaged entries and for texts beyond what
 * is stored in a row.
 */
export function storedText(entry: TranscriptEntry): string | undefined {
  // Of a kind that this version does not know, what there is to read is read out of the payload, so that it is found.
  if (entry.kind === 'damaged' || (entry.kind === 'unknown' && entry.text === '')) return undefined
  if (Buffer.byteLength(entry.text) > limits.messageBytesMax) return undefined
  return entry.text.toWellFormed()
}

/** 64 bits of a hash tell occurrences apart; where two meet, one gets a number that it did not need. */
const keyBytes = 8

/** How often the same bytes have come in a document, so that each of them gets an id of its own. */
export class Occurrences {
  /** By session and then by the first bytes of their hash: a transcript may hold millions. */
  readonly #counts = new Map<string, Map<string, number>>()

  /** Which one this is, from 1 on. */
  count({ session }: Pick<TranscriptEntry, 'session'>, sha256: Uint8Array): number {
    const key = Buffer.from(sha256).toString('latin1', 0, keyBytes)
    const counts = this.#counts.get(session) ?? new Map<string, number>()
    this.#counts.set(session, counts)
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    return count
  }
}

/** The id of an entry that has none of its own: its hash, as it is stored, and which of several with the same bytes it is. */
export function idOfBytes(hash: Uint8Array, occurrence: number): string {
  return `#${Buffer.from(hash).toString('hex', 0, 16)}${occurrence === 1 ? '' : `.${occurrence}`}`
}

/** Digits of the hash at the end of the id of a later version of an entry, as the function `save_messages` makes it. */
const versionDigits = 16

/**
 * The id of an entry under another hash of the same bytes, as another store has it: the whole of it where the entry has none of its own, the
 * end where it is of a later version. The same id where it does not follow from the bytes.
 */
export function idUnderHash(id: string, { from, to }: { readonly from: Uint8Array; readonly to: Uint8Array }): string {
  const versionOf = (hash: Uint8Array) => `~${Buffer.from(hash).toString('hex').slice(0, versionDigits)}`
  if (id.endsWith(versionOf(from))) return `${id.slice(0, -versionOf(from).length)}${versionOf(to)}`
  const known = idOfBytes(from, 1)
  const occurrence = id.slice(known.length)
  return id.startsWith(known) && /^(\.\d+)?$/.test(occurrence) ? `${idOfBytes(to, 1)}${occurrence}` : id
}
