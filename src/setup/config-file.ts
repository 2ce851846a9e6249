import { randomBytes } from 'node:crypto'
import { type FileHandle, mkdir, open, readFile, readlink, rename, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'

import { codeOf, InputError, LimitError } from '../errors.ts'
import { syncDirectory } from '../sync-directory.ts'

const fileBytesMax = 64 * 1024 * 1024
/** As many as Linux follows before it answers ELOOP. */
const symlinksMax = 40

/**
 * The text of a client's configuration, or undefined where there is no file. Decoding is strict and keeps a byte order
 * mark, so that writing the text back gives the same bytes. Throws InputError for what is no readable UTF-8 file.
 */
export async function readClientConfig(path: string): Promise<string | undefined> {
  try {
    const bytes = await readFile(path)
    if (bytes.length > fileBytesMax) {
      throw new LimitError(`read "${path}"`, { what: 'its bytes', limit: fileBytesMax, actual: bytes.length })
    }
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    if (error instanceof LimitError) throw error
    if (codeOf(error) === 'ENOENT') return undefined
    throw new InputError(`Cannot read "${path}" as it must be a UTF-8 text file: ${codeOf(error) ?? 'unknown error'}`, {
      cause: error,
    })
  }
}

/**
 * Puts `text` in the place of `path` so that a reader, or a power cut, meets the old file or the new one and nothing
 * between: temporary file beside it, fsync, rename, fsync of the directory. A symbolic link stays and its target is
 * replaced; permissions and owner of the old file are kept, a new file is readable by its owner only because such
 * files hold keys. Throws InputError when the place cannot be written.
 */
export async function replaceClientConfig(path: string, text: string): Promise<void> {
  const target = await followSymlinks(path)
  const temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.tmp`)
  try {
    await mkdir(dirname(target), { recursive: true, mode: 0o700 })
    try {
      await writeNew(temporary, text, await attributesOf(target))
      await rename(temporary, target)
    } catch (error) {
      await removeIfThere(temporary)
      throw error
    }
    await syncDirectory(dirname(target))
  } catch (error) {
    throw new InputError(`Cannot write "${target}" as it must be writable: ${codeOf(error) ?? 'unknown error'}`, {
      cause: error,
      remedy: 'Check the permissions, or paste the printed configuration by hand',
    })
  }
}

/**
 * Writes `text` to the first free name `<path>.before-verbatim-<timestamp>` with the permissions of `path`, synced,
 * and gives that name back. It never writes over an earlier copy.
 */
export async function keepCopy(path: string, text: string, now: Date): Promise<string> {
  const stamp = now.toISOString().replaceAll(/[-:.]/g, '')
  const attributes = await attributesOf(path)
  for (let attempt = 0; ; attempt += 1) {
    const copy = `${path}.before-verbatim-${stamp}${attempt === 0 ? '' : `-${attempt}`}`
    try {
      await writeNew(copy, text, attributes)
      return copy
    } catch (error) {
      if (codeOf(error) !== 'EEXIST' || attempt === 100) {
        throw new InputError(
          `Cannot keep a copy of "${path}" as its directory must be writable: ${codeOf(error) ?? 'unknown error'}`,
          { cause: error },
        )
      }
    }
  }
}

export async function pathExists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return false
    throw error
  }
}

type Attributes = { readonly mode: number; readonly owner?: { readonly uid: number; readonly gid: number } }

async function attributesOf(path: string): Promise<Attributes> {
  try {
    const { mode, uid, gid } = await stat(path)
    // Only root can give files away; under sudo the user's file would otherwise end up as root's.
    return process.getuid?.() === 0 ? { mode: mode & 0o7777, owner: { uid, gid } } : { mode: mode & 0o7777 }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { mode: 0o600 }
    throw error
  }
}

async function writeNew(path: string, text: string, attributes: Attributes): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await applyAttributes(file, attributes)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** The owner first: a change of owner clears special permission bits. */
async function applyAttributes(file: FileHandle, attributes: Attributes): Promise<void> {
  if (attributes.owner !== undefined) await file.chown(attributes.owner.uid, attributes.owner.gid)
  await file.chmod(attributes.mode)
}

async function followSymlinks(path: string): Promise<string> {
  let target = path
  for (let link = 0; link < symlinksMax; link += 1) {
    try {
      target = resolve(dirname(target), await readlink(target))
    } catch (error) {
      const code = codeOf(error)
      // EINVAL: not a link, which is the end of the chain; ENOENT: the file is still to be made.
      if (code === 'EINVAL' || code === 'ENOENT' || code === 'UNKNOWN') return target
      throw new InputError(`Cannot follow "${path}": ${code ?? 'unknown error'}`, { cause: error })
    }
  }
  throw new InputError(`Cannot follow "${path}" as it must lead to a file within ${symlinksMax} links`)
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}
