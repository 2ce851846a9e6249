import { randomUUID } from 'node:crypto'
import { type FileHandle, link, mkdir, open, readFile, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'

import { codeOf, ConflictError, InputError, UnavailableError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import type { ArchiveStore, ErasedObjects, ErasureNotes } from '../../ports/archive-store.ts'
import { syncDirectory } from '../../sync-directory.ts'

const openAttemptsMax = 10

/** What a file is called until it is whole: the name of its object, and this. */
const temporaryEnd = /\.[\da-f-]{36}\.tmp$/

function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR'
}

/** What the system says, without the path that its message quotes: callers must not learn where the archive is. */
function reasonOf(error: unknown): string {
  return codeOf(error) ?? 'unexpected error'
}

function unwritable(cause: unknown): UnavailableError {
  return new UnavailableError(`Cannot write to the archive directory: ${reasonOf(cause)}`, {
    remedy: 'Check that the disk has space and that the directory may be written, then try again',
    cause,
  })
}

/** A temporary file that cannot be removed is left: `list` passes over it, and the error to report is the one before. */
async function removeTemporary(path: string): Promise<void> {
  await rm(path, { force: true }).catch(() => undefined)
}

/** Gives a file its name, or fails with EEXIST: a rename would take the place of what is there. */
async function moveUnlessThere(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path)
  } catch (error) {
    // A file system without hard links; two writers of one key with other bytes do not occur, as keys are hashes.
    if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP'].includes(codeOf(error) ?? '')) throw error
    await rename(temporary, path)
  }
}

/** For a folder that another process that erases may have removed, which has synced its parent then. */
async function syncIfThere(folder: string): Promise<void> {
  try {
    await syncDirectory(folder)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}

/** Opens a new file in the folder of an object, which whoever erases the last object there may remove meanwhile. */
async function openBeside(path: string, temporary: string): Promise<FileHandle> {
  for (let attempt = 1; ; attempt++) {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    try {
      return await open(temporary, 'wx', 0o600)
    } catch (error) {
      if (!isMissing(error) || attempt === openAttemptsMax) throw error
    }
  }
}

/** Whether a file belongs to an object, or is below a folder. A write that was broken off may have left all of it in a temporary file. */
function isOf(file: string, name: string): boolean {
  if (name.endsWith('/')) return file.startsWith(name)
  return file.replace(temporaryEnd, '') === name
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
      if (Buffer.compare(existing, bytes) === 0) return this.#confirm(path)
      throw new ConflictError(`Cannot store archive object "${key}" as it exists with other content`, {
        remedy: 'Run "verbatim verify": the archive directory may be damaged',
      })
    }
    const temporary = `${path}.${randomUUID()}.tmp`
    try {
      const handle = await openBeside(path, temporary)
      try {
        await handle.writeFile(bytes)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await moveUnlessThere(temporary, path)
      await this.#syncUpwards(dirname(path))
    } catch (error) {
      await removeTemporary(temporary)
      // Another writer was faster, with the same bytes or with others.
      if (codeOf(error) === 'EEXIST') return await this.put(key, bytes)
      throw unwritable(error)
    }
    await removeTemporary(temporary)
  }

  /** Who renamed the object may have died, or failed, before its directories were synced. */
  async #confirm(path: string): Promise<void> {
    try {
      await this.#syncUpwards(dirname(path))
    } catch (error) {
      throw unwritable(error)
    }
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    try {
      return await readFile(this.#pathOf(key))
    } catch (error) {
      if (isMissing(error)) return undefined
      throw new UnavailableError(`Cannot read from the archive directory: ${reasonOf(error)}`, { cause: error })
    }
  }

  async delete(key: string): Promise<void> {
    const path = this.#pathOf(key)
    try {
      await rm(path, { force: true })
    } catch (error) {
      // Below a file there is no object either.
      if (!isMissing(error)) throw unwritable(error)
    }
  }

  /** A file that is gone stays so after a power cut: its directory is synced. */
  async erase(name: string, notes?: ErasureNotes, signal?: AbortSignal): Promise<ErasedObjects> {
    const files = await this.#toErase(name)
    let erased = 0
    for (let at = 0; at < files.length; at += limits.erasedObjectsAtOnce) {
      const lot = files.slice(at, at + limits.erasedObjectsAtOnce)
      const names = lot.filter((file) => !temporaryEnd.test(file))
      await notes?.before(names)
      await this.#eraseFiles(lot, signal)
      await notes?.after({ names, gone: names })
      erased += names.length
    }
    await this.#removeEmptyFolders(name)
    return { erased, kept: [] }
  }

  async #toErase(name: string): Promise<string[]> {
    try {
      return (await this.#filesBelow(name)).filter((one) => isOf(one, name))
    } catch (error) {
      throw unwritable(error)
    }
  }

  async #eraseFiles(files: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    const folders = new Set<string>()
    try {
      for (const file of files) {
        signal?.throwIfAborted()
        const path = join(this.#root, file)
        await rm(path, { force: true })
        folders.add(dirname(path))
      }
      for (const folder of folders) await syncIfThere(folder)
    } catch (error) {
      throw unwritable(error)
    }
  }

  /** Also where no file was left to erase: an erasure that was broken off may have left the folder. */
  async #removeEmptyFolders(name: string): Promise<void> {
    const folder = name.slice(0, name.lastIndexOf('/') + 1)
    if (folder === '') return
    const top = join(this.#root, folder)
    try {
      const entries = folder === name ? await readdir(top, { recursive: true, withFileTypes: true }) : []
      const below = entries.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name))
      // The longest paths first, so that a folder comes after those in it.
      for (const path of below.toSorted((a, b) => b.length - a.length)) await this.#removeIfEmpty(path)
      await this.#removeIfEmpty(top)
    } catch (error) {
      if (!isMissing(error)) throw unwritable(error)
    }
  }

  async #removeIfEmpty(folder: string): Promise<void> {
    try {
      await rmdir(folder)
    } catch (error) {
      // Another object is there, or is being put there just now; or another one has removed it.
      if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(codeOf(error) ?? '')) throw error
      return
    }
    await syncIfThere(dirname(folder))
  }

  /** Every file of the folder that a prefix names, temporary ones too: the rest of the archive need not be read. */
  async #filesBelow(prefix: string): Promise<string[]> {
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1)
    try {
      const entries = await readdir(join(this.#root, folder), { recursive: true, withFileTypes: true })
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => relative(this.#root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    } catch (error) {
      if (isMissing(error)) return []
      throw error
    }
  }

  async *list(prefix: string): AsyncIterable<string> {
    let names: string[]
    try {
      names = await this.#filesBelow(prefix)
    } catch (error) {
      throw new UnavailableError(`Cannot list the archive directory: ${reasonOf(error)}`, { cause: error })
    }
    for (const name of names.toSorted()) if (name.startsWith(prefix) && !temporaryEnd.test(name)) yield name
  }

  async check(): Promise<void> {
    const key = `probe/${randomUUID()}`
    await this.put(key, Buffer.from(key))
    await this.delete(key)
  }

  #pathOf(key: string): string {
    if (!/^[a-z0-9_-][a-z0-9._-]*(\/[a-z0-9_-][a-z0-9._-]*)*$/.test(key)) {
      throw new InputError(`Cannot use "${key}" as an archive key`)
    }
    return join(this.#root, ...key.split('/'))
  }

  /** Directories that `mkdir` has just made are entries of their parents: the root too, of the directory that holds it. */
  async #syncUpwards(from: string): Promise<void> {
    // One that is gone went with the last object in it, which somebody has erased since it was put.
    for (let path = from; path.startsWith(this.#root); path = dirname(path)) await syncIfThere(path)
    await syncDirectory(dirname(this.#root))
  }
}
