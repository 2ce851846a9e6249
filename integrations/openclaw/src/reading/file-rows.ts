import { createHash } from 'node:crypto'
import { open, readFile, type FileHandle } from 'node:fs/promises'
import { basename, join } from 'node:path'

import { z } from 'zod'

import { codeOf, namesIn } from '../files.ts'
import type { Session } from '../session.ts'
import type { RowPage } from './row-reader.ts'

const pageBytes = 4 * 1024 * 1024
/** How much before a position is compared to tell whether the file is still the one that was read. */
const traceBytes = 256

const positionSchema = z.object({ name: z.string(), offset: z.number(), trace: z.string() })
type Position = z.infer<typeof positionSchema>
const lineEnd = 0x0a

/** The lines of a session's transcript file after a position. Undefined where there is no such file. */
export async function readTranscript(
  directory: string,
  session: Session,
  position: string | undefined,
): Promise<RowPage | undefined> {
  const last = position === undefined ? undefined : positionSchema.parse(JSON.parse(position))
  const name = last?.name ?? (await nameOf(directory, session))
  const tried = new Set<string>()
  const topic = /-topic-(?<topic>[\w.-]+)\.jsonl/u.exec(name)?.groups?.['topic']
  for (const candidate of [name, ...(await leftBehind(directory, name)), name]) {
    const file = await openIfThere(join(directory, candidate))
    if (file === undefined) continue
    try {
      const from = last === undefined || (await fits(file, last)) ? last : undefined
      // Where the position fits none of them, the file was written anew: the second time, it is read from its beginning.
      const isTried = tried.has(candidate)
      tried.add(candidate)
      if (last === undefined || from !== undefined || isTried) return { ...(await readLines(file, name, from)), topic }
    } finally {
      await file.close()
    }
  }
  return undefined
}

/** The file of a session that was reset or deleted gets a suffix. */
async function leftBehind(directory: string, name: string): Promise<readonly string[]> {
  const names = await namesIn(directory)
  const own = names.filter((other) => other.startsWith(name))
  return own.filter((other) => /^\.(?:reset|deleted)\.[^/]*(?<!\.zst)$/u.test(other.slice(name.length))).toSorted()
}

/** Whether what stands before a position is what was read there. */
async function fits(file: FileHandle, { offset, trace }: Position): Promise<boolean> {
  return offset <= (await file.stat()).size && (await traceBefore(file, offset)) === trace
}

async function readLines(file: FileHandle, name: string, from: Position | undefined): Promise<RowPage> {
  const { size } = await file.stat()
  const offset = from?.offset ?? 0
  const bytes = await wholeLines(file, offset, size)
  const end = offset + bytes.length
  const next = { name, offset: end, trace: await traceBefore(file, end) } satisfies Position
  return { lines: splitLines(bytes), position: JSON.stringify(next), hasMore: end < size && bytes.length > 0 }
}

/** Bytes from an offset to the end of a line. The last line counts before its end is written, if it is whole. */
async function wholeLines(file: FileHandle, offset: number, size: number): Promise<Buffer> {
  for (let length = pageBytes; ; length *= 2) {
    const bytes = Buffer.alloc(Math.min(length, size - offset))
    const { bytesRead } = await file.read(bytes, 0, bytes.length, offset)
    const read = bytes.subarray(0, bytesRead)
    const reachesEnd = offset + bytesRead >= size
    const end = read.lastIndexOf(lineEnd) + 1
    if (reachesEnd && isJson(read.subarray(end))) return read
    if (end > 0 || reachesEnd) return read.subarray(0, end)
  }
}

function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString('utf8'))
    return true
  } catch {
    // Half a line: it is read when the rest is there.
    return false
  }
}

function splitLines(bytes: Buffer): readonly Uint8Array[] {
  const lines: Uint8Array[] = []
  for (let from = 0; from < bytes.length;) {
    const at = bytes.indexOf(lineEnd, from)
    const end = at === -1 ? bytes.length : at
    if (end > from) lines.push(bytes.subarray(from, end))
    from = end + 1
  }
  return lines
}

async function traceBefore(file: FileHandle, offset: number): Promise<string> {
  const bytes = Buffer.alloc(Math.min(traceBytes, offset))
  await file.read(bytes, 0, bytes.length, offset - bytes.length)
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16)
}

/** The file's name, from the map of sessions where that tells it: a thread's is not the session's id alone. */
async function nameOf(directory: string, session: Session): Promise<string> {
  const usual = `${session.sessionId}.jsonl`
  try {
    const map: unknown = JSON.parse(await readFile(join(directory, 'sessions.json'), 'utf8'))
    const entry = z.record(z.string(), z.unknown()).parse(map)[session.sessionKey]
    const { sessionId, sessionFile } = z.object({ sessionId: z.string(), sessionFile: z.string() }).parse(entry)
    return sessionId === session.sessionId ? basename(sessionFile) : usual
  } catch {
    // The map is not there, is being written, or does not say.
    return usual
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}
