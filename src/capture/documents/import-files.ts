import { resolve } from 'node:path'

import { explain, VerbatimError } from '../../errors.ts'
import type { Caller } from '../../model/access.ts'
import { newId } from '../../model/ids.ts'
import { isKnownByEntries } from '../../model/messages/tombstone.ts'
import { queueUnarchived } from '../../store/archive/archive-queue.ts'
import type { Database } from '../../store/database.ts'
import { importedState, saveImportedState } from '../../store/imports/import-files.ts'
import { linkParents } from '../../store/imports/imported-sessions.ts'
import type { TranscriptFormat } from '../../transcripts/format.ts'
import { detectFormat } from '../../transcripts/registry.ts'
import { withStoredBefore, type DocumentReport } from './document-report.ts'
import { findErased, type ErasedParts } from './erased-entries.ts'
import { fileState, isSameState, type FileState } from './file-state.ts'
import { DocumentImport, type ImportSource } from './import-document.ts'
import type { ImportDependencies } from './imported-sessions.ts'
import { knownPart, OtherEntries, OtherNumbers, type KnownPart } from './known-part.ts'

export interface FileReport {
  readonly path: string
  /** The format's name, or undefined where the file is no transcript. */
  readonly format: string | undefined
  /** `unchanged`: imported before and not touched since. `skipped`: no transcript. `failed`: could not be read or stored to its end. */
  readonly status: 'imported' | 'unchanged' | 'skipped' | 'failed'
  readonly reason?: string
  readonly documents: readonly DocumentReport[]
  /** Of a file whose client writes no more: how long a last line is that breaks off, and was left. */
  readonly unendedBytes?: number
}

export interface ImportOptions {
  /** Name of the format to take, instead of detecting it. */
  readonly format?: string | undefined
  /** Reads files again that have not changed since they were imported. */
  readonly again?: boolean | undefined
  /** Keeps the entries only, and nothing of the file: it is not there for long. It is read whatever was read before. */
  readonly rowsOnly?: boolean | undefined
  /** Told how many bytes of entries were taken, as it goes. */
  readonly onProgress?: ((bytes: number) => void) | undefined
  /** Told of an error that is a defect of this program; the file is then `failed`. Without it the defect is thrown. */
  readonly onDefect?: ((error: unknown) => void) | undefined
  /** Told of what made a file `failed`. */
  readonly onFailure?: ((error: unknown) => void) | undefined
}

/**
 * Imports one file: every entry with its exact bytes, known ones once. Never throws for what is in the file: a file that
 * is no transcript is `skipped`, entries that do not parse are stored and counted as `damaged`. A file that fails half
 * way keeps what was stored; importing it again goes on.
 */
export async function importFile(
  dependencies: ImportDependencies,
  caller: Caller,
  file: { readonly path: string } & ImportOptions,
): Promise<FileReport> {
  const { database } = dependencies
  const path = resolve(file.path)
  const documents: DocumentReport[] = []
  let format: string | undefined
  try {
    // Taken before the file is read: what is written meanwhile changes the state, and the next run reads it.
    const state = await fileState(path)
    const readsAnyway = file.again === true || file.rowsOnly === true
    const known = readsAnyway ? undefined : await database.run((sql) => importedState(sql, caller.tenantId, path))
    if (known !== undefined && isUnchanged(known, { ...state, format: file.format })) {
      return { path, format: known.format, status: 'unchanged', documents: [] }
    }
    const detected = await detectFormat(path, file.format)
    if (detected === undefined) return skipped(path, file.format)
    format = detected.format.name
    const source = { path, format, modifiedAtMs: state.modifiedAtMs }
    await readDocuments(dependencies, { caller, source, documents, read: detected.format, ...file })
    if (file.rowsOnly === true) return { path, format, status: 'imported', documents }
    const imported = { id: newId(), path, format, ...state }
    await database.run((sql) => saveImportedState(sql, caller.tenantId, imported))
    return { path, format, status: 'imported', documents }
  } catch (error) {
    file.onFailure?.(error)
    return { path, format, status: 'failed', reason: reasonOf(error, file.onDefect), documents }
  }
}

/** What is reported of a file that is no transcript, or none in the format that was named. */
export function skipped(path: string, format: string | undefined): FileReport {
  const reason =
    format === undefined
      ? 'not a transcript in a format that Verbatim knows'
      : `not a transcript in the format "${format}"`
  return { path, format: undefined, status: 'skipped', reason, documents: [] }
}

interface Reading extends ImportOptions {
  readonly caller: Caller
  readonly source: ImportSource
  readonly read: TranscriptFormat
  /** Takes the reports. */
  readonly documents: DocumentReport[]
}

async function readDocuments({ database, archive }: ImportDependencies, reading: Reading): Promise<void> {
  const { caller, source, documents, rowsOnly, onProgress } = reading
  const begun = new Map<string, DocumentImport>()
  const readAll = async (known: KnownPart | undefined) => {
    for await (const document of reading.read.documents(source.path)) {
      const before = begun.get(document.name)?.added ?? 0
      const erased = await erasedIn(database, reading, document.name)
      const reader = new DocumentImport({ database, archive }, { caller, source, known, rowsOnly, erased })
      begun.set(document.name, reader)
      documents.push(withStoredBefore(await reader.run(document, onProgress), before))
    }
  }
  const grows = reading.again !== true && rowsOnly !== true && reading.read.follow !== undefined
  try {
    await readAll(grows ? await knownPart(database, caller.tenantId, source) : undefined)
  } catch (error) {
    if (!(error instanceof OtherEntries || error instanceof OtherNumbers)) throw error
    documents.length = 0
    await readAll(undefined)
  }
}

/** What of a document was erased, where it is to be read for that first. */
async function erasedIn(
  database: Database,
  { caller: { tenantId }, source, read }: Reading,
  name: string,
): Promise<ErasedParts | undefined> {
  if (!isKnownByEntries(source.format)) return undefined
  for await (const document of read.documents(source.path))
    if (document.name === name) return await findErased(database, { tenantId, source: source.format }, document)
  return undefined
}

function isUnchanged(
  known: FileState & { readonly format: string },
  now: FileState & { readonly format: string | undefined },
): boolean {
  return isSameState(known, now) && (now.format === undefined || now.format === known.format)
}

/** What to report of an error. Only a VerbatimError says it itself: another one's message may quote what was stored. */
export function reasonOf(error: unknown, onDefect: ImportOptions['onDefect']): string {
  if (error instanceof VerbatimError) return explain(error)
  if (onDefect === undefined) throw error
  onDefect(error)
  return 'internal error, a defect of Verbatim'
}

/** What an import has changed is archived after this: more may come. */
const archiveAfterMs = 60_000

/**
 * Links imported sessions to the ones they were forked from or work for, whichever came first, and leaves to be archived
 * what has changed. Call it after a run of imports.
 */
export async function linkImported(dependencies: ImportDependencies, caller: Caller): Promise<void> {
  await dependencies.database.run((sql) => linkParents(sql, caller.tenantId))
  await dependencies.database.run((sql) => queueUnarchived(sql, caller.tenantId, archiveAfterMs))
}
