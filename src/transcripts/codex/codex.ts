import { basename, join } from 'node:path'

import { isJsonObject } from '../../model/json/json.ts'
import { plainChunks } from '../bytes/file-bytes.ts'
import { byteLines } from '../bytes/lines.ts'
import { field, textField } from '../fields.ts'
import type { TranscriptDocument, TranscriptEvent, TranscriptFormat, TranscriptSample } from '../format.ts'
import { JsonlReader, jsonlEvents } from '../jsonl-document.ts'
import { headRows } from '../sample.ts'
import { fileStem } from '../session-name.ts'
import { CodexRows } from './codex-rows.ts'

const rolloutName =
  /^rollout-\d{4}-\d{2}-\d{2}T[\d-]+?-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.jsonl(?:\.zst)?$/u
const envelopes = new Set(['session_meta', 'response_item', 'turn_context', 'event_msg', 'compacted'])
const items = new Set([
  'message',
  'reasoning',
  'function_call',
  'function_call_output',
  'custom_tool_call',
  'custom_tool_call_output',
])

/** Codex rollouts, compressed ones too (the document is then the decompressed bytes). */
export const codex: TranscriptFormat = {
  name: 'codex',
  label: 'Codex',
  detect: detectCodex,
  async *documents(path): AsyncGenerator<TranscriptDocument> {
    yield { name: '', events: codexEvents(path) }
  },
  follow: async (path) => new JsonlReader(await rowsOf(path)),
  places: (home, environment) => {
    const configured = environment['CODEX_HOME']
    const root = configured === undefined || configured === '' ? join(home, '.codex') : configured
    return ['sessions', 'archived_sessions'].map((name) => ({
      path: join(root, name),
      match: /\/rollout-[^/]*\.jsonl(?:\.zst)?$/u,
    }))
  },
}

async function* codexEvents(path: string): AsyncGenerator<TranscriptEvent> {
  yield* jsonlEvents(plainChunks(path), await rowsOf(path))
}

async function rowsOf(path: string): Promise<CodexRows> {
  const fallback = rolloutName.exec(basename(path))?.[1] ?? fileStem(path)
  return new CodexRows(fallback, { eventsOnly: !(await hasItems(path)) })
}

/** Tells whether the conversation is recorded as items; the first ones stand near the start. */
async function hasItems(path: string): Promise<boolean> {
  for await (const line of byteLines(plainChunks(path))) {
    if (line.type === 'line' && isItemLine(line.bytes)) return true
  }
  return false
}

function isItemLine(bytes: Uint8Array): boolean {
  const line = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return line.includes('"response_item"') && line.includes('"role"')
}

function detectCodex(sample: TranscriptSample): number {
  const rows = headRows(sample)
  const named = rolloutName.test(basename(sample.path)) ? 0.4 : 0
  const enveloped = rows.some((row) => envelopes.has(textField(row, 'type') ?? '') && isJsonObject(row['payload']))
  if (enveloped) return 0.95
  const [first, ...rest] = rows
  const header = first !== undefined && !('type' in first) && 'instructions' in first && 'timestamp' in first
  return header &&
    rest.some((row) => items.has(textField(row, 'type') ?? '') || field(row, 'record_type') !== undefined)
    ? 0.8
    : named
}
