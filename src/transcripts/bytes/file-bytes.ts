import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'

import { codeOf, InputError, LimitError, messageOf, UnavailableError, type VerbatimError } from '../../errors.ts'
import { unzstdChunks } from './zstd.ts'

const MiB = 1024 * 1024

/** A document that must be held whole: one conversation, a `sessions.json`. V8 reads JSON text of up to about 512 MiB. */
const wholeFileBytesMax = 256 * MiB

/** How much of a file detection looks at. */
export const headBytes = 64 * 1024

const refusals = new Set(['ENOENT', 'EACCES', 'EPERM', 'EISDIR', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'])

/** The error for a file that cannot be read: `InputError` where the path is wrong, `UnavailableError` where the disk is. */
export function unreadable(path: string, cause: unknown): VerbatimError {
  const code = codeOf(cause)
  const message = `Cannot read transcript ${JSON.stringify(path)}: ${messageOf(cause)}`
  if (code !== undefined && refusals.has(code)) {
    return new InputError(message, { cause, remedy: 'Check that the path names a file that this user may read' })
  }
  return new UnreadableFile(message, { cause, remedy: 'Check the disk and try again' })
}

/** The disk does not give a file's bytes; everything else may work. */
export class UnreadableFile extends UnavailableError {
  override readonly name = 'UnreadableFile'
}

/** A file's bytes from start to end in chunks of at most 1 MiB. Throws `InputError` or `UnavailableError` with the path. */
export async function* fileChunks(path: string): AsyncGenerator<Uint8Array> {
  const stream = createReadStream(path, { highWaterMark: MiB })
  try {
    for await (const chunk of stream) {
      if (chunk instanceof Uint8Array) yield chunk
    }
  } catch (error) {
    throw unreadable(path, error)
  } finally {
    stream.destroy()
  }
}

/** Like `fileChunks`, with a `.zst` file decompressed on the way. */
export function plainChunks(path: string): AsyncGenerator<Uint8Array> {
  return isCompressed(path) ? unzstdChunks(fileChunks(path), path) : fileChunks(path)
}

/** The SHA-256 of a file's first bytes; undefined where it has fewer. */
export async function hashOfStart(path: string, sizeBytes: number): Promise<Buffer | undefined> {
  const hash = createHash('sha256')
  let left = sizeBytes
  for await (const chunk of fileChunks(path)) {
    hash.update(chunk.subarray(0, left))
    left -= Math.min(left, chunk.length)
    if (left === 0) break
  }
  return left === 0 ? hash.digest() : undefined
}

export function isCompressed(path: string): boolean {
  return path.endsWith('.zst')
}

/** All bytes of a file. Throws `LimitError` above `wholeFileBytesMax`. */
export async function wholeFile(path: string): Promise<Uint8Array> {
  const sizeBytes = await fileSize(path)
  if (sizeBytes > wholeFileBytesMax) {
    throw new LimitError(`read transcript ${JSON.stringify(path)}`, {
      what: 'the size of a file that holds a single JSON document',
      limit: wholeFileBytesMax,
      actual: sizeBytes,
      remedy: 'Split the file into one file a conversation, or import it as JSONL',
    })
  }
  const chunks: Uint8Array[] = []
  for await (const chunk of fileChunks(path)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

export async function fileSize(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (error) {
    throw unreadable(path, error)
  }
}

/** The first bytes of a file, at most `headBytes`. */
export async function fileHead(path: string): Promise<Uint8Array> {
  try {
    await using handle = await open(path, 'r')
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(headBytes), 0, headBytes, 0)
    return buffer.subarray(0, bytesRead)
  } catch (error) {
    throw unreadable(path, error)
  }
}
