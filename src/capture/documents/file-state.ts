import { stat } from 'node:fs/promises'

import { codeOf } from '../../errors.ts'
import { unreadable } from '../../transcripts/bytes/file-bytes.ts'

/** What tells whether a file has changed. */
export interface FileState {
  /** Milliseconds since 1970. */
  readonly modifiedAtMs: number
  readonly sizeBytes: number
}

/** The state of a file, and which file it is: another one under the same path has another identity. */
export interface FileAtPath extends FileState {
  readonly identity: string
  /** When it was made, as far as the file system tells; milliseconds since 1970. */
  readonly createdAtMs: number
}

export function identityOf({ dev, ino }: { readonly dev: number; readonly ino: number }): string {
  return `${dev}:${ino}`
}

/** When the file was last written, and its size; a database is also written through the log beside it. */
export async function fileState(path: string): Promise<FileAtPath> {
  try {
    const file = await stat(path)
    const parts = [file]
    try {
      parts.push(await stat(`${path}-wal`))
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error
    }
    return {
      modifiedAtMs: Math.floor(Math.max(...parts.map(({ mtimeMs }) => mtimeMs))),
      sizeBytes: parts.reduce((total, { size }) => total + size, 0),
      identity: identityOf(file),
      createdAtMs: Math.floor(file.birthtimeMs),
    }
  } catch (error) {
    throw unreadable(path, error)
  }
}

/** Undefined where no such file is there. */
export async function stateIfThere(path: string): Promise<FileAtPath | undefined> {
  try {
    return await fileState(path)
  } catch (error) {
    const code = error instanceof Error ? codeOf(error.cause) : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}

export function isSameState(left: FileState | undefined, right: FileState): boolean {
  return left !== undefined && left.modifiedAtMs === right.modifiedAtMs && left.sizeBytes === right.sizeBytes
}
