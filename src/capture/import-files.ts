import { readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'

import { InputError, messageOf, VerbatimError } from '../errors.ts'
import type { Caller } from '../model/access.ts'
import { newId } from '../model/ids.ts'
import { importedState, linkParents, saveImportedState } from '../store/import-files.ts'
import { unreadable } from '../transcripts/file-bytes.ts'
import { detectFormat } from '../transcripts/registry.ts'
import { DocumentImport, type DocumentReport, type ImportDependencies } from './import-document.ts'

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
  /** Told how many bytes of entries were taken, as it goes. */
  readonly onProgress?: ((bytes: number) => void) | undefined
  /** Told of an error that is a defect of this program; the file is then `failed`. Without it the defect is thrown. */
  readonly onDefect?: ((error: unknown) => void) | undefined
}

/** A file to import. */
export interface ListedFile {
  readonly path: string
  readonly sizeBytes: number
}

/** What stands below a directory and cannot be imported. `skipped`: there is nothing to read. `failed`: it may not be read. */
export interface PassedOver {
  readonly path: string
  readonly status: 'skipped' | 'failed'
  readonly reason: string
}

export interface ListOptions {
  /** The paths were found by a search: one that cannot be read is passed over like those below it. */
  readonly found?: boolean | undefined
  /** Told of each path that is passed over. Without it the first one ends the walk. */
  readonly onPassedOver?: ((path: PassedOver) => void) | undefined
}

function cannotRead(path: string, cause: unknown): InputError {
  return new InputError(`Cannot read "${path}": ${messageOf(cause)}`, {
    remedy: 'Name files or directories that exist and may be read',
    cause,
  })
}

/**
 * All files below some paths, in the order of their names; files that are named are taken as they are. Throws InputError
 * where one of the paths cannot be read; what cannot be read below a directory is told to `onPassedOver`.
 */
export async function listFiles(paths: readonly string[], options: ListOptions = {}): Promise<readonly ListedFile[]> {
  const walk = new Walk(options.onPassedOver)
  for (const path of paths) {
    try {
      await walk.visit(resolve(path))
    } catch (error) {
      if (error instanceof InputError) throw error
      if (options.found !== true) throw cannotRead(path, error)
      walk.passOver(resolve(path), error)
    }
  }
  return walk.files
}

class Walk {
  readonly files: ListedFile[] = []
  readonly #onPassedOver: ListOptions['onPassedOver']
  /** Device and inode of each directory: links can lead to one again, also to one above them. */
  readonly #directories = new Set<string>()

  constructor(onPassedOver: ListOptions['onPassedOver']) {
    this.#onPassedOver = onPassedOver
  }

  async visit(path: string): Promise<void> {
    const about = await stat(path, { bigint: true })
    if (about.isFile()) this.files.push({ path, sizeBytes: Number(about.size) })
    if (!about.isDirectory()) return
    const directory = `${about.dev}:${about.ino}`
    if (this.#directories.has(directory)) {
      const reason = 'a directory that is already read under another path'
      this.#onPassedOver?.({ path, status: 'skipped', reason })
      return
    }
    const names = await readdir(path)
    this.#directories.add(directory)
    for (const name of names.toSorted()) {
      const below = join(path, name)
      try {
        if (!(await isRunLog(below))) await this.visit(below)
      } catch (error) {
        this.passOver(below, error)
      }
    }
  }

  passOver(path: string, error: unknown): void {
    if (error instanceof InputError) throw error
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (this.#onPassedOver === undefined || code === undefined) throw cannotRead(path, error)
    const nothing =
      code === 'ENOENT'
        ? 'a link to nothing, or a file that has just gone'
        : code === 'ELOOP'
          ? 'a link that leads back to itself'
          : undefined
    this.#onPassedOver(
      nothing === undefined
        ? { path, status: 'failed', reason: messageOf(error) }
        : { path, status: 'skipped', reason: nothing },
    )
  }
}

/**
 * OpenClaw keeps a log of each run beside the session: it repeats the session's messages with the prompts around them. A
 * walk through a directory leaves it out; a user who wants it names it.
 */
async function isRunLog(path: string): Promise<boolean> {
  if (!path.endsWith('.trajectory.jsonl')) return false
  try {
    return (await stat(path.replace(/\.trajectory\.jsonl$/, '.jsonl'))).isFile()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
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
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
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
    const known = await database.run((sql) => importedState(sql, caller.tenantId, path))
    if (file.again !== true && known !== undefined && isUnchanged(known, { ...state, format: file.format })) {
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
      documents.push(await new DocumentImport(dependencies, { caller, source }).run(document, file.onProgress))
    }
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
  if (error instanceof VerbatimError)
    return error.remedy === undefined ? error.message : `${error.message}. ${error.remedy}`
  if (onDefect === undefined) throw error
  onDefect(error)
  return 'internal error, a defect of Verbatim'
}

/** Links imported sessions to the ones they were forked from or work for, whichever came first. Call it after a run of imports. */
export async function linkImported(dependencies: ImportDependencies, caller: Caller): Promise<void> {
  await dependencies.database.run((sql) => linkParents(sql, caller.tenantId))
}
