import { access } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

import { plainChunks } from '../bytes/file-bytes.ts'
import { byteLines } from '../bytes/lines.ts'
import { field, textField } from '../fields.ts'
import type { TranscriptDocument, TranscriptEvent, TranscriptFormat, TranscriptSample } from '../format.ts'
import { parseJson } from '../json/json-value.ts'
import { JsonlReader, jsonlEvents } from '../jsonl-document.ts'
import { headRows } from '../sample.ts'
import { fileStem } from '../session-name.ts'
import { PiRows } from './pi-rows.ts'

const startedAt = /^\d{4}-\d{2}-\d{2}T[\d-]+Z_/u

/** Sessions of pi-coding-agent, v1 to v3. */
export const pi: TranscriptFormat = {
  name: 'pi',
  label: 'pi',
  detect: detectPi,
  async *documents(path): AsyncGenerator<TranscriptDocument> {
    yield { name: '', events: piEvents(path) }
  },
  follow: async (path) => new JsonlReader(await rowsOf(path)),
  places: (home) => [{ path: join(home, '.pi', 'agent', 'sessions'), match: /\.jsonl$/u }],
}

async function* piEvents(path: string): AsyncGenerator<TranscriptEvent> {
  yield* jsonlEvents(plainChunks(path), await rowsOf(path))
}

async function rowsOf(path: string): Promise<PiRows> {
  return new PiRows({
    fallback: fileStem(path).replace(startedAt, ''),
    name: (headerId: string) => headerId,
    parent: (reference: string) => fileStem(reference.replaceAll('\\', '/')).replace(startedAt, ''),
    parentIsKept: await parentFileExists(path),
  })
}

/** OpenClaw writes the same rows; a version 4 header or anything of OpenClaw's own makes the file OpenClaw's. */
function detectPi(sample: TranscriptSample): number {
  const [first] = headRows(sample)
  if (!isPiHeader(first)) return 0
  if (sample.path.includes('/.pi/') || startedAt.test(basename(sample.path))) return 0.9
  return field(first, 'version') === undefined ? 0.8 : 0.6
}

/** The first line of a pi or OpenClaw session file. */
export function isPiHeader(row: unknown): boolean {
  return (
    field(row, 'type') === 'session' && textField(row, 'id') !== undefined && textField(row, 'timestamp') !== undefined
  )
}

/** Tells whether the file that this one was forked from is still there: at its recorded place, or beside this file. */
export async function parentFileExists(path: string): Promise<boolean> {
  const reference = await forkReference(path)
  if (reference === undefined) return false
  // OpenClaw names the database that holds the parent: `sqlite:<agent>:<session>:<path>`.
  const place = /^sqlite:[^:]*:[^:]*:(?<path>.+)$/u.exec(reference)?.groups?.['path'] ?? reference
  const name = basename(place.replaceAll('\\', '/'))
  return (
    (await exists(place)) || (await exists(join(dirname(path), name))) || exists(join(dirname(path), `${name}.jsonl`))
  )
}

async function forkReference(path: string): Promise<string | undefined> {
  for await (const line of byteLines(plainChunks(path))) {
    if (line.type === 'end') return undefined
    const header = parseJson(line.bytes)
    return header.ok ? (textField(header.value, 'parentSession') ?? textField(header.value, 'branchedFrom')) : undefined
  }
  return undefined
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch {
    // Whatever keeps us from seeing it: for this question it is not there.
    return false
  }
}
