import { readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'

import { codeOf, InputError, messageOf } from '../../errors.ts'

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
  /** Told of each directory that is read. */
  readonly onDirectory?: ((path: string) => void) | undefined
}

/** What tools fetched or made, and never a client's transcripts: tens of thousands of files, of which the JSON would be taken for sessions. */
const notOurs = new Set(['node_modules', '.git'])

/**
 * All files below some paths, in the order of their names; files that are named are taken as they are. Throws InputError
 * where one of the paths cannot be read; what cannot be read below a directory is told to `onPassedOver`.
 */
export async function listFiles(paths: readonly string[], options: ListOptions = {}): Promise<readonly ListedFile[]> {
  const walk = new Walk(options)
  // It would be taken for the working directory.
  if (paths.includes(''))
    throw new InputError('Cannot read a path that is empty', { remedy: 'Name a file or a directory' })
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
  readonly #onDirectory: ListOptions['onDirectory']
  /** Device and inode of each directory: links can lead to one again, also to one above them. */
  readonly #directories = new Set<string>()

  constructor({ onPassedOver, onDirectory }: ListOptions) {
    this.#onPassedOver = onPassedOver
    this.#onDirectory = onDirectory
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
    this.#onDirectory?.(path)
    for (const name of names.toSorted()) {
      const below = join(path, name)
      if (notOurs.has(name)) {
        this.#onPassedOver?.({ path: below, status: 'skipped', reason: 'name it to read what is in it' })
        continue
      }
      try {
        if (!(await isRunLog(below))) await this.visit(below)
      } catch (error) {
        this.passOver(below, error)
      }
    }
  }

  passOver(path: string, error: unknown): void {
    if (error instanceof InputError) throw error
    const code = codeOf(error)
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
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}

function cannotRead(path: string, cause: unknown): InputError {
  return new InputError(`Cannot read "${path}": ${messageOf(cause)}`, {
    remedy: 'Name files or directories that exist and may be read',
    cause,
  })
}
