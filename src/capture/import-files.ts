import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'

import { codeOf, explain, VerbatimError } from '../errors.ts'
import type { Caller } from '../model/access.ts'
import { newId } from '../model/ids.ts'
import { queueUnarchived } from '../store/archive/archive-queue.ts'
import { importedState, saveImportedState } from '../store/import-files.ts'
import { linkParents } from '../store/imported-sessions.ts'
import { unreadable } from '../transcripts/bytes/file-bytes.ts'
import { detectFormat } from '../transcripts/registry.ts'
import { DocumentImport, type DocumentReport } from './import-document.ts'
import type { ImportDependencies } from './imported-sessions.ts'

export interface FileReport {
  readonly path: string
  /** The format's name, or undefined where the file is no transcript. */
  readonly format: string | undefined
  /** `unchanged`: imported before and not touched since. `skipped`: no transcript. `failed`: could not be read or stored to its end. */
  readonly status: 'imported' | 'unchanged' | 'skipped' | 'failed'
  readonly reason?: string
  readonly documents: readonly DocumentReport[]
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
}

/** What tells whether a file has changed. */
interface FileState {
  /** Milliseconds since 1970. */
  readonly modifiedAtMs: number
  readonly sizeBytes: number
}

/** When the file was last written, and its size; a database is also written through the log beside it. */
async function stateOf(path: string): Promise<FileState> {
  try {
    const parts = [await stat(path)]
    try {
      parts.push(await stat(`${path}-wal`))
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error
    }
    return {
      modifiedAtMs: Math.floor(Math.max(...parts.map(({ mtimeMs }) => mtimeMs))),
      sizeBytes: parts.reduce((total, { size }) => total + size, 0),
    }
  } catch (error) {
    throw unreadable(path, error)
  }
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
    const state = await stateOf(path)
    const readsAnyway = file.again === true || file.rowsOnly === true
    const known = readsAnyway ? undefined : await database.run((sql) => importedState(sql, caller.tenantId, path))
    if (known !== undefined && isUnchanged(known, { ...state, format: file.format })) {
      return { path, format: known.format, status: 'unchanged', documents: [] }
    }
    const detected = await detectFormat(path, file.format)
    if (detected === undefined) {
      const reason =
        file.format === undefined
          ? 'not a transcript in a format that Verbatim knows'
          : `not a transcript in the format "${file.format}"`
      return { path, format: undefined, status: 'skipped', reason, documents: [] }
    }
    format = detected.format.name
    const source = { path, format, modifiedAtMs: state.modifiedAtMs }
    for await (const document of detected.format.documents(path)) {
      const options = { caller, source, rowsOnly: file.rowsOnly === true }
      documents.push(await new DocumentImport(dependencies, options).run(document, file.onProgress))
    }
    if (file.rowsOnly === true) return { path, format, status: 'imported', documents }
    const imported = { id: newId(), path, format, ...state }
    await database.run((sql) => saveImportedState(sql, caller.tenantId, imported))
    return { path, format, status: 'imported', documents }
  } catch (error) {
    return { path, format, status: 'failed', reason: reasonOf(error, file.onDefect), documents }
  }
}

function isUnchanged(
  known: FileState & { readonly format: string },
  now: FileState & { readonly format: string | undefined },
): boolean {
  return (
    known.modifiedAtMs === now.modifiedAtMs &&
    known.sizeBytes === now.sizeBytes &&
    (now.format === undefined || now.format === known.format)
  )
}

/** What to report of an error. Only a VerbatimError says it itself: another one's message may quote what was stored. */
function reasonOf(error: unknown, onDefect: ImportOptions['onDefect']): string {
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
