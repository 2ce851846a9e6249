import { readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'

import { InputError, VerbatimError, messageOf } from '../errors.ts'
import type { Caller } from '../model/access.ts'
import { importFilesOfPath, linkParents } from '../store/import-files.ts'
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
}

/** All files below some paths, in the order of their names; files that are named are taken as they are. */
export async function listFiles(paths: readonly string[]): Promise<{ path: string; sizeBytes: number }[]> {
  const files: { path: string; sizeBytes: number }[] = []
  const visit = async (path: string): Promise<void> => {
    const about = await stat(path)
    if (about.isFile()) files.push({ path, sizeBytes: about.size })
    else if (about.isDirectory()) {
      for (const name of (await readdir(path)).toSorted()) {
        const below = join(path, name)
        if (!(await isRunLog(below))) await visit(below)
      }
    }
  }
  for (const path of paths) {
    try {
      await visit(resolve(path))
    } catch (error) {
      throw new InputError(`Cannot read "${path}": ${messageOf(error)}`, {
        remedy: 'Name files or directories that exist and may be read',
        cause: error,
      })
    }
  }
  return files
}

/** When the file was last written; a database is also written through the log beside it. */
async function modifiedAtMs(path: string): Promise<number> {
  const times = [(await stat(path)).mtimeMs]
  try {
    times.push((await stat(`${path}-wal`)).mtimeMs)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
  return Math.floor(Math.max(...times))
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
  const path = resolve(file.path)
  const documents: DocumentReport[] = []
  let format: string | undefined
  try {
    const modified = await modifiedAtMs(path)
    const known = await dependencies.database.run((sql) => importFilesOfPath(sql, caller.tenantId, path))
    const knownFormat = known[0]?.format
    if (file.again !== true && knownFormat !== undefined && known.every((row) => row.modifiedAtMs === modified)) {
      return { path, format: knownFormat, status: 'unchanged', documents: [] }
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
    const source = { path, format, modifiedAtMs: modified }
    for await (const document of detected.format.documents(path)) {
      documents.push(await new DocumentImport(dependencies, { caller, source }).run(document, file.onProgress))
    }
    return { path, format, status: 'imported', documents }
  } catch (error) {
    if (!(error instanceof VerbatimError)) throw error
    const reason = error.remedy === undefined ? error.message : `${error.message}. ${error.remedy}`
    return { path, format, status: 'failed', reason, documents }
  }
}

/** Links imported sessions to the ones they were forked from or work for, whichever came first. Call it after a run of imports. */
export async function linkImported(dependencies: ImportDependencies, caller: Caller): Promise<void> {
  await dependencies.database.run((sql) => linkParents(sql, caller.tenantId))
}
