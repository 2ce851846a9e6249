import { createHash } from 'node:crypto'

import { LimitError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import type { Caller } from '../../model/access.ts'
import { newId } from '../../model/ids.ts'
import { sha256 } from '../../model/messages/payload.ts'
import { saveImportFile } from '../../store/imports/import-files.ts'
import type { TranscriptDocument, TranscriptEntry, TranscriptSession } from '../../transcripts/format.ts'
import type { DocumentReport } from './document-report.ts'
import { cleanId, Occurrences } from './entry-fields.ts'
import { entryMessage } from './entry-message.ts'
import { EntryTimes } from './entry-times.ts'
import type { ErasedParts } from './erased-entries.ts'
import { ErasedSessions } from './erased-sessions.ts'
import { LayoutBuilder } from './file-layout.ts'
import { ImportedSessions, type ImportDependencies, type ImportedMessage } from './imported-sessions.ts'
import { KnownEntries, OtherNumbers, type KnownPart } from './known-part.ts'
import { SessionNews } from './session-news.ts'

/** The file that a document comes from. */
export interface ImportSource {
  readonly path: string
  readonly format: string
  readonly modifiedAtMs: number
}

/** Entries and bytes that are collected before they are saved: one statement each, one sync of the disk. */
const batchBytesMax = 4 * 1024 * 1024
const problemsMax = 100

interface DocumentEnd {
  readonly document: string
  /** What stands after the last entry. */
  readonly after: Uint8Array
  /** When its file was last written, where that is later than when it was first read. */
  readonly modifiedAtMs?: number
}

interface Pending extends ImportedMessage {
  readonly place: number
  readonly before: Uint8Array
}

export interface DocumentOptions {
  readonly caller: Caller
  readonly source: ImportSource
  /** What of the document is stored already: it is read, and not sent to the store again. */
  readonly known?: KnownPart | undefined
  /** Keeps nothing that gives back the file. */
  readonly rowsOnly?: boolean | undefined
  /** What of it was erased, although its session is not known to be. */
  readonly erased?: ErasedParts | undefined
}

/**
 * Imports one document: every entry once, in order, with its exact bytes. Reading it again adds only what is new. Of a
 * document that grows, `add` takes what comes and `settle` stores it, as often as there is more.
 */
export class DocumentImport {
  readonly #dependencies: ImportDependencies
  readonly #caller: Caller
  readonly #source: ImportSource
  readonly #rowsOnly: boolean
  readonly #news = new SessionNews()
  readonly #knownEntries: KnownEntries
  readonly #times: EntryTimes
  readonly #occurrences = new Occurrences()
  readonly #stored: ImportedSessions
  readonly #tombstones: ErasedSessions
  readonly #erasedParts: ErasedParts | undefined
  #read = 0
  readonly #pending = new Map<string, Pending[]>()
  #pendingCount = 0
  #pendingBytes = 0
  #entries = 0
  #added = 0
  #known = 0
  #erased = 0
  readonly #places: { sessionId: string; seq: number; before: Uint8Array }[] = []
  readonly #layout = new LayoutBuilder()
  #flushedPlaces: number
  readonly #hash = createHash('sha256')
  #sizeBytes = 0
  readonly #counts = new Map<string, number>()
  readonly #problems: { entry: number; problem: string }[] = []

  constructor(dependencies: ImportDependencies, options: DocumentOptions) {
    this.#dependencies = dependencies
    const { caller, source, known, rowsOnly = false, erased } = options
    this.#rowsOnly = rowsOnly
    this.#knownEntries = new KnownEntries(known)
    for (const run of known?.runs ?? []) this.#layout.addRun(run)
    this.#flushedPlaces = this.#knownEntries.count
    this.#caller = caller
    this.#source = source
    this.#times = new EntryTimes(source.modifiedAtMs)
    this.#tombstones = new ErasedSessions(dependencies.database, { tenantId: caller.tenantId, source: source.format })
    this.#erasedParts = erased
    const target = { format: source.format, tombstones: this.#tombstones, numbering: known?.numbering }
    this.#stored = new ImportedSessions(dependencies, caller, target)
  }

  async run(document: TranscriptDocument, onProgress?: (bytes: number) => void): Promise<DocumentReport> {
    let after: Uint8Array = new Uint8Array()
    for await (const event of document.events) {
      if (event.type === 'end') after = event.after
      else await this.add(event)
      if (event.type === 'entry') onProgress?.(event.before.length + event.bytes.length)
    }
    return await this.settle({ document: document.name, after })
  }

  /** Takes the next entry, or news of a session. Entries are stored in batches, the last ones by `settle`. */
  async add(event: TranscriptEntry | TranscriptSession): Promise<void> {
    if (event.type === 'entry') return await this.#addEntry(event)
    this.#news.add(event)
  }

  /** How many entries were stored by now that were not known. */
  get added(): number {
    return this.#added
  }

  /** Whether the messages that it has stored have the numbers under which it did. */
  areNumbersKept(): Promise<boolean> {
    return this.#stored.areNumbersKept()
  }

  /** Stores what was taken so far, and what it takes to give it back. Throws OtherNumbers. */
  async settle(end: DocumentEnd): Promise<DocumentReport> {
    await this.#flush()
    const of = { tenantId: this.#caller.tenantId, source: this.#source.format, tombstones: this.#tombstones }
    await this.#news.tell(this.#dependencies.database, of)
    const sizeBytes = this.#sizeBytes + end.after.length
    // What stands between the entries may be of those that were erased.
    if (this.#erased === 0 && !this.#rowsOnly) await this.#saveLayout(end, sizeBytes)
    return {
      document: end.document,
      sizeBytes,
      counts: Object.fromEntries(this.#counts),
      added: this.#added,
      known: this.#known,
      erased: this.#erased,
      sessionIds: this.#layout.sessionIds,
      problems: [...this.#problems],
    }
  }

  async #saveLayout({ document, after, modifiedAtMs }: DocumentEnd, sizeBytes: number): Promise<void> {
    const file = {
      id: newId(),
      path: this.#source.path,
      document,
      format: this.#source.format,
      sizeBytes,
      sha256: this.#hash.copy().update(after).digest(),
      modifiedAtMs: modifiedAtMs ?? this.#source.modifiedAtMs,
      counts: Object.fromEntries(this.#counts),
      sessionIds: this.#layout.sessionIds,
      layout: this.#layout.toBytes(after),
    }
    const { numbering } = this.#stored
    const { database } = this.#dependencies
    if (!(await saveImportFile(database, this.#caller.tenantId, { file, numbering })))
      throw new OtherNumbers(this.#source.path)
  }

  #count(bytes: Uint8Array): void {
    this.#hash.update(bytes)
    this.#sizeBytes += bytes.length
  }

  async #addEntry(read: TranscriptEntry): Promise<void> {
    const part = this.#erasedParts?.places.get(this.#read++)
    this.#count(read.before)
    this.#count(read.bytes)
    if (read.bytes.length > limits.importedMessageBytesMax) {
      throw new LimitError(`import "${this.#source.path}"`, {
        what: `the size in bytes of its entry ${this.#entries + 1}`,
        limit: limits.importedMessageBytesMax,
        actual: read.bytes.length,
      })
    }
    if (this.#knownEntries.has(this.#entries)) return this.#passOver(read)
    const isOfErased = await this.#tombstones.has(cleanId(read.session))
    const session = isOfErased ? this.#erasedParts?.renamed.get(read.session) : read.session
    const message = entryMessage(read, this.#source.format)
    // Another one stands there by now where the file was changed meanwhile.
    if (session === undefined || Buffer.from(message.sha256).toString('hex') === part) {
      this.#times.note(read.session, read.timestamp)
      this.#news.noteErased(read.session)
      this.#erased++
      return
    }
    const entry = { ...read, session }
    const queue = this.#pending.get(entry.session) ?? []
    this.#pending.set(entry.session, queue)
    const occurrence = entry.id === undefined ? this.#occurrences.count(entry, message.sha256) : undefined
    queue.push({ message, occurrence, place: this.#entries, before: entry.before })
    this.#countEntry(entry)
    this.#pendingCount++
    this.#pendingBytes += entry.bytes.length
    if (this.#pendingCount >= limits.batchMessagesMax || this.#pendingBytes >= batchBytesMax) await this.#flush()
  }

  #countEntry(entry: TranscriptEntry): void {
    this.#entries++
    this.#counts.set(entry.kind, (this.#counts.get(entry.kind) ?? 0) + 1)
    if (entry.kind !== 'damaged' || this.#problems.length >= problemsMax) return
    this.#problems.push({ entry: this.#entries, problem: entry.problem ?? 'does not parse' })
  }

  /** An entry that is stored: only what later ones depend on is taken from it. */
  #passOver(entry: TranscriptEntry): void {
    if (entry.id === undefined) this.#occurrences.count(entry, sha256(entry.bytes))
    this.#times.note(entry.session, entry.timestamp)
    this.#countEntry(entry)
    this.#known++
    this.#knownEntries.check(this.#entries, this.#sizeBytes)
  }

  /** Saves what is pending, session by session, and notes where each entry of the document now is. */
  async #flush(): Promise<void> {
    for (const [session, pending] of this.#pending) {
      const createdAt = this.#news.createdAt(session)
      const queue = this.#times.date({ session, createdAt }, pending)
      this.#pending.delete(session)
      const saved = await this.#stored.save({ id: session, createdAt }, queue)
      this.#dependencies.database.announce?.({ tenantId: this.#caller.tenantId, sessionId: saved.sessionId })
      for (const [index, { place, before }] of queue.entries()) {
        const result = saved.messages[index]
        if (result === undefined) throw new Error('save_messages answered for fewer messages than it was given')
        if (result.erased === true) this.#erased++
        else if (result.duplicate) this.#known++
        else this.#added++
        this.#places[place - this.#flushedPlaces] = { sessionId: saved.sessionId, seq: result.seq, before }
      }
    }
    for (const place of this.#places) this.#layout.add(place)
    this.#flushedPlaces += this.#places.length
    this.#places.length = 0
    this.#pendingCount = 0
    this.#pendingBytes = 0
  }
}
