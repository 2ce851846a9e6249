import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { onTestFinished } from 'vitest'

import type { TranscriptEntry, TranscriptFormat, TranscriptSession } from '../../src/transcripts/format.ts'
import { detectFormat } from '../../src/transcripts/registry.ts'

export interface ReadDocument {
  readonly name: string
  /** What the document's events add up to; the law says that it is the document. */
  readonly bytes: Buffer
  readonly entries: readonly TranscriptEntry[]
  /** The last event of each session. */
  readonly sessions: ReadonlyMap<string, TranscriptSession>
}

/** Reads all documents of a file with a format, or with the one that is detected. */
export async function readTranscript(path: string, format?: TranscriptFormat): Promise<readonly ReadDocument[]> {
  const chosen = format ?? (await detectFormat(path))?.format
  if (chosen === undefined) throw new Error(`Expected a transcript: ${path}`)
  const documents: ReadDocument[] = []
  for await (const document of chosen.documents(path)) {
    const parts: Uint8Array[] = []
    const entries: TranscriptEntry[] = []
    const sessions = new Map<string, TranscriptSession>()
    let ends = 0
    for await (const event of document.events) {
      if (event.type === 'session') sessions.set(event.id, event)
      else if (event.type === 'end') {
        parts.push(event.after)
        ends += 1
      } else {
        if (!sessions.has(event.session))
          throw new Error(`Session ${event.session} was not announced before its first entry`)
        parts.push(event.before, event.bytes)
        entries.push(event)
      }
    }
    if (ends !== 1) throw new Error(`Expected one end event, got ${ends}`)
    documents.push({ name: document.name, bytes: Buffer.concat(parts), entries, sessions })
  }
  return documents
}

/** Like `readTranscript`, for files that are one document. */
export async function readOne(path: string, format?: TranscriptFormat): Promise<ReadDocument> {
  const documents = await readTranscript(path, format)
  const document = documents.at(0)
  if (document === undefined || documents.length > 1) throw new Error(`Expected one document in ${path}`)
  return document
}

/** A directory that lives as long as the test. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'verbatim-test-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/** Writes a file of its own for one test; rows are written as JSONL. */
export async function writeTranscript(
  name: string,
  content: string | Uint8Array | readonly unknown[],
): Promise<string> {
  const path = join(await temporaryDirectory(), name)
  await writeFile(path, typeof content === 'string' || content instanceof Uint8Array ? content : jsonl(content))
  return path
}

export function jsonl(rows: readonly unknown[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('')
}

/** All files below a directory, in the order of their names. */
export async function filesBelow(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

/** Counts what tests compare: kinds, roles of messages, switches, calls, and the tokens of entries that are not copies. */
export function tally(entries: readonly TranscriptEntry[]): Record<string, number> {
  const counts: Record<string, number> = {}
  const add = (name: string, count: number): void => {
    if (count > 0) counts[name] = (counts[name] ?? 0) + count
  }
  for (const entry of entries) {
    add(entry.kind, 1)
    if (entry.kind === 'message') add(entry.role, 1)
    if (entry.contextSwitch !== undefined) add(`switch:${entry.contextSwitch}`, 1)
    if (entry.copied === true) {
      add('copied', 1)
      continue
    }
    add('calls', entry.toolsUsed.length)
    add('input', entry.usage?.input ?? 0)
    add('output', entry.usage?.output ?? 0)
    add('cacheRead', entry.usage?.cacheRead ?? 0)
    add('cacheWrite', entry.usage?.cacheWrite ?? 0)
  }
  return counts
}
