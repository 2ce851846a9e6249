import { readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

import { plainChunks, unreadable } from '../bytes/file-bytes.ts'
import { byteLines } from '../bytes/lines.ts'
import { field, textField } from '../fields.ts'
import type { TranscriptDocument, TranscriptEvent, TranscriptFormat, TranscriptSample } from '../format.ts'
import { parseJson } from '../json/json-value.ts'
import { JsonlReader, jsonlEvents } from '../jsonl-document.ts'
import { headRows, headShape } from '../sample.ts'
import { fileStem } from '../session-name.ts'
import { ClaudeCodeRows } from './claude-code-rows.ts'

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/iu
const subagentFile = /^agent-.+\.jsonl$/u
/** How far into a file a session id is looked for; the first rows (snapshots, summaries) often name none. */
const searchLinesMax = 500
const ownTypes = new Set([
  'file-history-snapshot',
  'summary',
  'queue-operation',
  'permission-mode',
  'ai-title',
  'custom-title',
  'progress',
])

/** Claude Code's session files. */
export const claudeCode: TranscriptFormat = {
  name: 'claude-code',
  label: 'Claude Code',
  detect: detectClaudeCode,
  async *documents(path): AsyncGenerator<TranscriptDocument> {
    yield { name: '', events: claudeCodeEvents(path) }
  },
  follow: async (path) => new JsonlReader(await rowsOf(path)),
  places: (home, environment) => {
    const configured = environment['CLAUDE_CONFIG_DIR']
    const homes =
      configured === undefined || configured === ''
        ? [join(home, '.claude'), join(home, '.config', 'claude')]
        : [configured]
    return homes.map((path) => ({ path: join(path, 'projects'), match: /\.jsonl$/u }))
  },
}

async function* claudeCodeEvents(path: string): AsyncGenerator<TranscriptEvent> {
  yield* jsonlEvents(plainChunks(path), await rowsOf(path))
}

async function rowsOf(path: string): Promise<ClaudeCodeRows> {
  const stem = fileStem(path)
  const inside = uuid.test(stem) ? stem : await firstSessionId(path)
  const siblings = await siblingSessions(path)
  const subagent = subagentFile.test(basename(path)) ? subagentOf(path, inside) : undefined
  return new ClaudeCodeRows({
    fallback: subagent?.id ?? inside ?? stem,
    subagent,
    isKeptElsewhere: (sessionId) => subagent === undefined && siblings.has(sessionId),
  })
}

/** `<session>/subagents/agent-x.jsonl`, or in older versions `agent-x.jsonl` beside the session and with its id in the rows. */
function subagentOf(path: string, inside: string | undefined): { readonly id: string; readonly parent: string } {
  const agent = fileStem(path)
  const folder = dirname(path)
  const parent = basename(folder) === 'subagents' ? basename(dirname(folder)) : (inside ?? basename(folder))
  return { id: `${parent}/${agent}`, parent }
}

async function firstSessionId(path: string): Promise<string | undefined> {
  let lines = 0
  for await (const line of byteLines(plainChunks(path))) {
    lines += 1
    if (line.type === 'end' || lines > searchLinesMax) return undefined
    const parsed = parseJson(line.bytes)
    const found = parsed.ok ? textField(parsed.value, 'sessionId') : undefined
    if (found !== undefined) return found
  }
  return undefined
}

/** The ids of the sessions that have a file beside this one: rows of theirs in this file are copies. */
async function siblingSessions(path: string): Promise<ReadonlySet<string>> {
  try {
    const names = await readdir(dirname(path))
    return new Set(
      names
        .filter((name) => name.endsWith('.jsonl') && name !== basename(path))
        .map((name) => name.slice(0, -'.jsonl'.length)),
    )
  } catch (error) {
    throw unreadable(dirname(path), error)
  }
}

function detectClaudeCode(sample: TranscriptSample): number {
  const rows = headRows(sample)
  const confidence = Math.max(0, ...rows.map(rowConfidence))
  if (confidence > 0) return confidence
  // A first row longer than the sample, with a pasted file say, still shows its names.
  const names = rows.length === 0 ? headShape(sample)?.names : undefined
  if (names?.has('parentUuid') === true && names.has('sessionId')) return 0.8
  return /\.claude\/projects\/.*\.jsonl$/u.test(sample.path.replaceAll('\\', '/')) ? 0.4 : 0
}

function rowConfidence(row: Readonly<Record<string, unknown>>): number {
  const type = textField(row, 'type')
  const message = row['message']
  const turn =
    (type === 'user' || type === 'assistant') &&
    (field(message, 'content') !== undefined || typeof message === 'string')
  const named = textField(row, 'sessionId') !== undefined
  if (turn && named && 'parentUuid' in row && textField(row, 'uuid') !== undefined) return 0.95
  if (type !== undefined && ownTypes.has(type) && (named || 'leafUuid' in row || 'snapshot' in row)) return 0.9
  if (turn && 'timestamp' in row && !('id' in row)) return 0.6
  if (type === undefined && named && field(message, 'usage') !== undefined && 'requestId' in row) return 0.6
  return 0
}
