import { randomUUID } from 'node:crypto'
import { mkdir, open, readFile, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'

import { ConflictError, InputError, UnavailableError, messageOf } from '../errors.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}

/** A renamed file survives a power cut only when its directory was synced too. */
async function syncDirectory(path: string): Promise<void> {
  // Windows cannot open a directory; its rename is durable with the file system's journal.
  if (process.platform === 'win32') return
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The archive in a directory of the local disk: one file an object, written beside its place and moved into it. */
export class DirectoryArchive implements ArchiveStore {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const path = this.#pathOf(key)
    const existing = await this.get(key)
    if (existing !== undefined) {
      if (Buffer.compare(existing, bytes) === 0) return
      throw new ConflictError(`Cannot store archive object "${key}" as it exists with other content`, {
        remedy: 'Run "verbatim verify": the archive directory may be damaged',
      })
    }
    const temporary = `${path}.${randomUUID()}.tmp`
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      const handle = await open(temporary, 'wx', 0o600)
      try {
        await handle.writeFile(bytes)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await rename(temporary, path)
      await this.#syncUpwards(dirname(path))
    } catch (error) {
      await rm(temporary, { force: true })
      throw new UnavailableError(`Cannot write to the archive directory: ${messageOf(error)}`, {
        remedy: 'Check that the disk has space and that the directory may be written, then try again',
        cause: error,
      })
    }
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    try {
      return await readFile(this.#pathOf(key))
    } catch (error) {
      if (isMissing(error)) return undefined
      throw new UnavailableError(`Cannot read from the archive directory: ${messageOf(error)}`, { cause: error })
    }
  }

  async delete(key: string): Promise<void> {
    await rm(this.#pathOf(key), { force: true })
  }

  async *list(prefix: string): AsyncIterable<string> {
    let names: string[]
    try {
      const entries = await readdir(this.#root, { recursive: true, withFileTypes: true })
      names = entries
        .filter((entry) => entry.isFile() && !entry.name.endsWith('.tmp'))
        .map((entry) => relative(this.#root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    } catch (error) {
      if (isMissing(error)) return
      throw new UnavailableError(`Cannot list the archive directory: ${messageOf(error)}`, { cause: error })
    }
    for (const name of names.toSorted()) if (name.startsWith(prefix)) yield name
  }

  #pathOf(key: string): string {
    if (!/^[a-z0-9_-][a-z0-9._-]*(\/[a-z0-9_-][a-z0-9._-]*)*$/.test(key)) {
      throw new InputError(`Cannot use "${key}" as an archive key`)
    }
    return join(this.#root, ...key.split('/'))
  }

  /** Directories that `mkdir` has just made are entries of their parents, up to the root. */
  async #syncUpwards(from: string): Promise<void> {
    for (let path = from; path.startsWith(this.#root); path = dirname(path)) await syncDirectory(path)
  }
}
