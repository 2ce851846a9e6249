import { open, type FileHandle } from 'node:fs/promises'

import type { Caller } from '../../model/access.ts'
import { newId } from '../../model/ids.ts'
import { importedState, saveImportedState } from '../../store/imports/import-files.ts'
import { unreadable } from '../../transcripts/bytes/file-bytes.ts'
import type { GrowingTranscript, TranscriptEvent, TranscriptFormat } from '../../transcripts/format.ts'
import type { DocumentReport } from './document-report.ts'
import { identityOf, isSameState, type FileAtPath, type FileState } from './file-state.ts'
import { DocumentImport } from './import-document.ts'
import type { ImportDependencies } from './imported-sessions.ts'
import { knownPart, OtherEntries, OtherNumbers } from './known-part.ts'

/** What a look at a file gave: what was stored now, or that it must be read again from its start. */
export type Growth = DocumentReport | ReadAgain

/** A file must be read again; before that was known, entries of it may have been stored, which the next reading finds known. */
export interface ReadAgain {
  readonly readAgain: true
  readonly added: number
}

export interface GrowingOptions {
  readonly caller: Caller
  readonly path: string
  readonly format: TranscriptFormat
  /** Ends reading after the next piece; what was read is stored. */
  readonly signal?: AbortSignal | undefined
}

const chunkBytes = 1024 * 1024
/** So many bytes before the place that was read to must still be the same. */
const markBytes = 4096
/** A file may be written to while it is read; it is read on so often before the rest is left to the next look. */
const roundsMax = 3

/**
 * Follows one file of lines that grows at its end. It keeps the file open, so that what was written before the file was
 * renamed or removed is read, and the state of the reading, so that only what is new is read. A line that has not ended
 * is left until it has.
 */
export class GrowingFile {
  readonly #dependencies: ImportDependencies
  readonly #options: GrowingOptions
  readonly #handle: FileHandle
  readonly #identity: string
  readonly #transcript: GrowingTranscript
  readonly #document: DocumentImport
  #offset = 0
  #mark: Buffer = Buffer.alloc(0)
  #saved: FileState | undefined
  #report: DocumentReport | undefined

  private constructor(
    dependencies: ImportDependencies,
    options: GrowingOptions,
    begun: { handle: FileHandle; identity: string; transcript: GrowingTranscript; document: DocumentImport },
  ) {
    this.#dependencies = dependencies
    this.#options = options
    this.#handle = begun.handle
    this.#identity = begun.identity
    this.#transcript = begun.transcript
    this.#document = begun.document
  }

  /** Reads a file to its present end. Undefined where the format has no way to follow this file. */
  static async begin(
    dependencies: ImportDependencies,
    options: GrowingOptions,
  ): Promise<{ readonly file: GrowingFile; readonly growth: Growth } | undefined> {
    const { caller, path, format } = options
    const known = await knownPart(dependencies.database, caller.tenantId, { path, format: format.name })
    for (const part of known === undefined ? [undefined] : [known, undefined]) {
      const transcript = await format.follow?.(path)
      if (transcript === undefined) return undefined
      const handle = await openFile(path)
      try {
        const about = await handle.stat()
        const source = { path, format: format.name, modifiedAtMs: Math.floor(about.mtimeMs) }
        const document = new DocumentImport(dependencies, { caller, source, known: part })
        const file = new GrowingFile(dependencies, options, {
          handle,
          identity: identityOf(about),
          transcript,
          document,
        })
        return { file, growth: await file.catchUp() }
      } catch (error) {
        await handle.close()
        if (!(error instanceof OtherEntries)) throw error
      }
    }
    throw new Error('A file read without known entries cannot have others')
  }

  /** Whether a line that has not ended waits. */
  get holds(): boolean {
    return this.heldBytes > 0
  }

  /** How long it is so far. */
  get heldBytes(): number {
    return this.#transcript.heldBytes
  }

  /** Whether the path still names this file, as it was when it was last read. */
  isAt(now: FileAtPath): 'same' | 'grown' | 'other' {
    if (now.identity !== this.#identity) return 'other'
    if (now.sizeBytes !== this.#offset) return 'grown'
    // What was written again with the same size is read again.
    return now.modifiedAtMs === this.#saved?.modifiedAtMs ? 'same' : 'other'
  }

  /** Stores what was added since the last time. */
  async catchUp(): Promise<Growth> {
    const { size } = await this.#handle.stat()
    if (size === this.#offset && this.#report !== undefined) return nothingNew(this.#report)
    if (size < this.#offset || !(await this.#isContinued()) || !(await this.#isStored())) return this.#readAgain()
    const state = await this.#readToEnd()
    return this.#transcript.isOutdated ? this.#readAgain() : await this.#settled(state)
  }

  /** Takes a line that has not ended, and does not seem to go on, as it is. */
  async takeHeld(): Promise<Growth> {
    const { mtimeMs } = await this.#handle.stat()
    for (const event of this.#transcript.takeHeld()) await this.#add(event)
    return await this.#settled({ modifiedAtMs: Math.floor(mtimeMs), sizeBytes: this.#offset })
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }

  /** The bytes before the place that was read to are still those. */
  async #isContinued(): Promise<boolean> {
    const { length } = this.#mark
    const { bytesRead, buffer } = await this.#handle.read(Buffer.alloc(length), 0, length, this.#offset - length)
    return bytesRead === length && buffer.equals(this.#mark)
  }

  /** The store holds what this one stored last, where it was: nothing was erased, and nobody else has imported the file. */
  async #isStored(): Promise<boolean> {
    const { caller, path } = this.#options
    if (this.#saved === undefined) return true
    const stored = await this.#dependencies.database.run((sql) => importedState(sql, caller.tenantId, path))
    return isSameState(stored, this.#saved) && (await this.#document.areNumbersKept())
  }

  async #readToEnd(): Promise<FileState> {
    let state: FileState = { modifiedAtMs: 0, sizeBytes: 0 }
    for (let round = 0; round < roundsMax; round++) {
      while (this.#options.signal?.aborted !== true && (await this.#readPiece()));
      const { mtimeMs, size } = await this.#handle.stat()
      state = { modifiedAtMs: Math.floor(mtimeMs), sizeBytes: size }
      if (size === this.#offset || this.#options.signal?.aborted === true) break
    }
    return state
  }

  async #readPiece(): Promise<boolean> {
    const { bytesRead, buffer } = await this.#read()
    if (bytesRead === 0) return false
    const bytes = buffer.subarray(0, bytesRead)
    this.#offset += bytesRead
    this.#mark = Buffer.from(Buffer.concat([this.#mark, bytes]).subarray(-markBytes))
    for (const event of this.#transcript.push(bytes)) await this.#add(event)
    return true
  }

  async #read() {
    try {
      const { size } = await this.#handle.stat()
      // A line that has not ended keeps what it was read into: no more than it needs.
      const length = Math.min(chunkBytes, Math.max(size - this.#offset, 1))
      return await this.#handle.read(Buffer.allocUnsafeSlow(length), 0, length, this.#offset)
    } catch (error) {
      throw unreadable(this.#options.path, error)
    }
  }

  async #add(event: TranscriptEvent): Promise<void> {
    if (event.type !== 'end') await this.#document.add(event)
  }

  async #settled(state: FileState): Promise<Growth> {
    try {
      return await this.#settle(state)
    } catch (error) {
      if (error instanceof OtherNumbers) return this.#readAgain()
      throw error
    }
  }

  #readAgain(): ReadAgain {
    return { readAgain: true, added: this.#document.added - (this.#report?.added ?? 0) }
  }

  async #settle({ modifiedAtMs }: FileState): Promise<DocumentReport> {
    const { caller, path, format } = this.#options
    const report = await this.#document.settle({ document: '', after: this.#transcript.between, modifiedAtMs })
    // Without the line that has not ended: whoever looks next sees that there is more.
    const saved = { modifiedAtMs, sizeBytes: this.#offset - this.#transcript.heldBytes }
    const row = { id: newId(), path, format: format.name, ...saved }
    await this.#dependencies.database.run((sql) => saveImportedState(sql, caller.tenantId, row))
    this.#saved = saved
    const before = this.#report
    this.#report = report
    return before === undefined ? report : sinceThen(report, before)
  }
}

/** What has come since an earlier report. */
function sinceThen(report: DocumentReport, before: DocumentReport): DocumentReport {
  const counts = Object.entries(report.counts).map(([kind, count]) => [kind, count - (before.counts[kind] ?? 0)])
  return {
    ...report,
    added: report.added - before.added,
    known: report.known - before.known,
    erased: report.erased - before.erased,
    problems: report.problems.slice(before.problems.length),
    counts: Object.fromEntries(counts),
  }
}

function nothingNew(report: DocumentReport): DocumentReport {
  return sinceThen(report, report)
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r')
  } catch (error) {
    throw unreadable(path, error)
  }
}
