import { ConflictError } from '../../errors.ts'
import type { Database } from '../../store/database.ts'
import { importedDocument, type Numbering } from '../../store/imports/import-files.ts'
import { hashOfStart, isCompressed } from '../../transcripts/bytes/file-bytes.ts'
import { readLayout, type LayoutRun } from './file-layout.ts'

/** The beginning of a document that an earlier import has stored. */
export interface KnownPart {
  readonly runs: readonly LayoutRun[]
  /** The bytes from the start of the document to the end of its last known entry. */
  readonly sizeBytes: number
  /** By what the runs name messages. */
  readonly numbering: Numbering
}

/** The beginning of the document is read as other entries than when it was stored. */
export class OtherEntries extends Error {
  override readonly name = 'OtherEntries'
}

const lineFeed = 0x0a

/**
 * What of a file of lines is stored and still there, byte for byte; undefined where that is nothing, or cannot be told.
 * Reading and hashing a file is a hundredth of the work of storing it.
 */
export async function knownPart(
  database: Database,
  tenantId: number,
  { path, format }: { readonly path: string; readonly format: string },
): Promise<KnownPart | undefined> {
  if (isCompressed(path)) return undefined
  const stored = await importedDocument(database, tenantId, { path, document: '' })
  if (stored === undefined || stored.damage !== undefined || stored.format !== format) return undefined
  const { runs, after } = readLayout(stored.layout)
  // A last line that had not ended may have become another entry.
  if (!after.includes(lineFeed)) return undefined
  const hash = await hashOfStart(path, stored.sizeBytes)
  if (hash === undefined || !hash.equals(stored.sha256)) return undefined
  return { runs, sizeBytes: stored.sizeBytes - after.length, numbering: stored.numbering }
}

/** Messages of the document were erased or given other numbers while it was read. */
export class OtherNumbers extends ConflictError {
  override readonly name = 'OtherNumbers'

  constructor(path: string) {
    super(`Cannot keep where the entries of "${path}" are as their sessions were changed meanwhile`, {
      remedy: 'Its entries are stored. Import it again',
    })
  }
}

/** Which entries of a document are known: the first ones. */
export class KnownEntries {
  readonly count: number
  readonly #sizeBytes: number

  constructor(known: KnownPart | undefined) {
    this.count = (known?.runs ?? []).reduce((total, run) => total + run.count, 0)
    this.#sizeBytes = known?.sizeBytes ?? 0
  }

  /** Whether the entry at this place, from 0 on, is known. */
  has(place: number): boolean {
    return place < this.count
  }

  /** After each known entry: the last one must end where the known part does. Throws OtherEntries. */
  check(entries: number, sizeBytes: number): void {
    if (entries === this.count && sizeBytes !== this.#sizeBytes)
      throw new OtherEntries(`${entries} entries end at byte ${sizeBytes} and not at ${this.#sizeBytes}`)
  }
}
