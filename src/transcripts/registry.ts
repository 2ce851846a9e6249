import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

import { codeOf, messageOf } from '../errors.ts'
import type { LocalUser } from '../model/local-user.ts'
import { fileChunks, fileHead, fileSize, headBytes, isCompressed } from './bytes/file-bytes.ts'
import { unzstdChunks } from './bytes/zstd.ts'
import { claudeCode } from './claude-code/claude-code.ts'
import { codex } from './codex/codex.ts'
import { chatgpt } from './exports/chatgpt.ts'
import { claudeAi } from './exports/claude-ai.ts'
import type { TranscriptFormat, TranscriptPlace, TranscriptSample } from './format.ts'
import { geminiCli } from './gemini-cli/gemini-cli.ts'
import { generic } from './generic/generic.ts'
import { openclawJsonl } from './openclaw/openclaw-jsonl.ts'
import { openclawSqlite } from './openclaw/openclaw-sqlite.ts'
import { pi } from './pi/pi.ts'

/** All formats. OpenClaw has two, one for each way it stores its sessions; both are named `openclaw`. */
export const transcriptFormats: readonly TranscriptFormat[] = [
  openclawSqlite,
  openclawJsonl,
  claudeCode,
  codex,
  geminiCli,
  chatgpt,
  claudeAi,
  pi,
  generic,
]

export interface DetectedFormat {
  readonly format: TranscriptFormat
  /** From 0 (excluded) to 1. */
  readonly confidence: number
}

/**
 * The format of a file, or undefined where it is no transcript. `among` limits the choice, by name: then the likeliest of
 * those is taken even if it is not certain. Throws `InputError` or `UnavailableError` where the file cannot be read.
 */
export async function detectFormat(path: string, among?: string): Promise<DetectedFormat | undefined> {
  const sample = await readSample(path)
  let best: DetectedFormat | undefined
  for (const format of transcriptFormats) {
    if (among !== undefined && format.name !== among) continue
    const confidence = format.detect(sample)
    if (confidence > (best?.confidence ?? 0)) best = { format, confidence }
  }
  return best
}

/** What was found at one of the places where a client keeps its transcripts. */
export interface FoundPlace {
  readonly format: TranscriptFormat
  readonly path: string
  /** Absolute paths in the order of their names. */
  readonly files: readonly string[]
  /** The directories that were looked into, the place itself first. */
  readonly directories: readonly string[]
  /** Why part of the place could not be looked at. */
  readonly problems: readonly string[]
}

/** The names of the clients that keep transcripts at places that are known. */
export function placedSources(): readonly string[] {
  const placed = transcriptFormats.filter((format) => format.places('/', {}).length > 0)
  return [...new Set(placed.map(({ name }) => name))].toSorted()
}

/** Looks at the known places of some clients, or of all. A place that is not there has no directories. */
export async function lookAtPlaces(user: LocalUser, sources?: readonly string[]): Promise<readonly FoundPlace[]> {
  const places: FoundPlace[] = []
  for (const format of transcriptFormats) {
    if (sources?.includes(format.name) === false) continue
    for (const place of format.places(user.home, user.environment)) {
      const walk: Walk = { place, files: [], directories: [], problems: [] }
      await lookInto(place.path, walk, 0)
      const { files, directories, problems } = walk
      places.push({ format, path: place.path, files, directories, problems })
    }
  }
  return places
}

/** Looks at every known place of a user's home; places where there is nothing are left out. */
export async function findTranscripts(
  home: string,
  environment: LocalUser['environment'],
  sources?: readonly string[],
): Promise<readonly FoundPlace[]> {
  const places = await lookAtPlaces({ home, environment }, sources)
  return places.filter(({ files, problems }) => files.length + problems.length > 0)
}

/** The directories below a place are few and shallow; this bound only stops a loop of links. */
const depthMax = 12

/** A walk through one place, with what it has found so far. */
interface Walk {
  readonly place: TranscriptPlace
  readonly files: string[]
  readonly directories: string[]
  readonly problems: string[]
}

async function lookInto(directory: string, walk: Walk, depth: number): Promise<void> {
  if (depth > depthMax) return
  for (const entry of await entriesOf(directory, walk, depth)) {
    const path = join(directory, entry.name)
    if (await isDirectory(entry, path)) await lookInto(path, walk, depth + 1)
    else if (walk.place.match.test(path.replaceAll('\\', '/'))) walk.files.push(path)
  }
}

async function entriesOf(directory: string, walk: Walk, depth: number): Promise<readonly Dirent[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true })
    walk.directories.push(directory)
    return entries.sort((left, right) => (left.name < right.name ? -1 : 1))
  } catch (error) {
    // A client that is not installed is no problem; a directory that cannot be read is.
    if (codeOf(error) !== 'ENOENT' || depth > 0)
      walk.problems.push(`Cannot read directory ${JSON.stringify(directory)}: ${messageOf(error)}`)
    return []
  }
}

async function isDirectory(entry: Dirent, path: string): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory()
  try {
    return (await stat(path)).isDirectory()
  } catch {
    // A dangling link is taken for a file; opening it will say what is wrong.
    return false
  }
}

async function readSample(path: string): Promise<TranscriptSample> {
  const sizeBytes = await fileSize(path)
  if (!isCompressed(path)) return { path, head: await fileHead(path), sizeBytes }
  const chunks: Uint8Array[] = []
  let length = 0
  let ended = true
  for await (const chunk of unzstdChunks(fileChunks(path), path)) {
    chunks.push(chunk)
    length += chunk.length
    if (length > headBytes) {
      ended = false
      break
    }
  }
  const head = Buffer.concat(chunks).subarray(0, headBytes)
  return { path, head, sizeBytes: ended ? head.length : Math.max(sizeBytes, headBytes + 1) }
}
