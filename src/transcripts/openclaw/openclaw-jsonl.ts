import { basename, dirname, join, sep } from 'node:path'

import { plainChunks } from '../bytes/file-bytes.ts'
import { field, textField } from '../fields.ts'
import type {
  TranscriptDocument,
  TranscriptEvent,
  TranscriptFormat,
  TranscriptPlace,
  TranscriptSample,
} from '../format.ts'
import { utf8 } from '../json/json-value.ts'
import { JsonlReader, jsonlEvents } from '../jsonl-document.ts'
import { isPiHeader, parentFileExists } from '../pi/pi.ts'
import { rowsOfEvents } from '../rows-of-events.ts'
import { headRows, headShape } from '../sample.ts'
import { OpenclawRows, openclawParentId, openclawSessionId } from './openclaw-rows.ts'
import { openclawStoreEvents } from './openclaw-store.ts'

const transcriptName = /\.jsonl(?:\.(?:reset|deleted|bak)\.[^/]*)?(?:\.zst)?$/u
const topic = /-topic-[^/]+?(?=\.jsonl)/u

/**
 * OpenClaw's file store, up to 2026.7: one JSONL file a session with its siblings (`.jsonl.reset.*`, `.jsonl.deleted.*`,
 * `-topic-*`, cold archives `.jsonl.zst`), and `sessions.json`, the map of session keys to session heads.
 * A compressed file's document is the decompressed bytes.
 */
export const openclawJsonl: TranscriptFormat = {
  name: 'openclaw',
  label: 'OpenClaw',
  detect: detectOpenclaw,
  async *documents(path): AsyncGenerator<TranscriptDocument> {
    yield { name: '', events: isStore(path) ? openclawStoreEvents(path, agentOf(path)) : rowEvents(path) }
  },
  follow: (path) => (isStore(path) ? undefined : rowsOf(path).then((rows) => new JsonlReader(rows))),
  sessionRows: (path) => (isStore(path) ? undefined : rowsOfEvents(rowEvents(path))),
  places: (home, environment) =>
    openclawHomes(home, environment).map((state): TranscriptPlace => ({
      path: join(state, 'agents'),
      match:
        /\/sessions\/(?:[^/]+\/)*(?:sessions\.json|(?![^/]*\.trajectory\.)[^/]+\.jsonl(?:\.(?:reset|deleted|bak)\.[^/]*)?(?:\.zst)?)$/u,
    })),
}

/** The state directories of OpenClaw and of what it was called before; a state directory that is set comes first. */
export function openclawHomes(
  home: string,
  environment: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const chosen = environment['OPENCLAW_STATE_DIR']
  const defaults = ['.openclaw', '.clawdbot', '.moltbot'].map((name) => join(home, name))
  return chosen === undefined || chosen === '' ? defaults : [chosen, ...defaults.filter((path) => path !== chosen)]
}

/** The agent that a file belongs to, from `agents/<id>/sessions/` or `agents/<id>/agent/`; `main` outside of one. */
export function agentOf(path: string): string {
  const parts = path.split(sep)
  const at = parts.lastIndexOf('agents')
  const next = parts[at + 2]
  return at !== -1 && (next === 'sessions' || next === 'agent') ? (parts[at + 1] ?? 'main') : 'main'
}

async function* rowEvents(path: string): AsyncGenerator<TranscriptEvent> {
  yield* jsonlEvents(plainChunks(path), await rowsOf(path))
}

async function rowsOf(path: string): Promise<OpenclawRows> {
  const agent = agentOf(path)
  const name = basename(path)
  // A thread's file repeats the id of the session it belongs to, so the thread is part of the name.
  const suffix = topic.exec(name)?.[0] ?? ''
  return new OpenclawRows({
    fallback: openclawSessionId(agent, name.replace(/\.jsonl.*$/u, '')),
    name: (headerId) => openclawSessionId(agent, headerId.endsWith(suffix) ? headerId : `${headerId}${suffix}`),
    parent: (reference) => openclawParentId(agent, reference),
    parentIsKept: await parentFileExists(path),
  })
}

function detectOpenclaw(sample: TranscriptSample): number {
  if (isStore(sample.path)) return detectStore(sample)
  const [header] = headRows(sample)
  if (!isPiHeader(header)) return 0
  const path = sample.path.replaceAll('\\', '/')
  const inPlace = /\/(?:agents\/[^/]+\/sessions|\.(?:openclaw|clawdbot|moltbot))\//u.test(path)
  const marked = /"(?:__openclaw|openclaw\.[\w.-]+|model-snapshot)"/u.test(utf8(sample.head))
  if (field(header, 'version') === 4 || inPlace || marked) return 0.95
  const stem = basename(path)
    .replace(transcriptName, '')
    .replace(/-topic-.*$/u, '')
  if (stem === textField(header, 'id')) return 0.7
  return /\/openclaw\//u.test(path) ? 0.65 : 0.3
}

function detectStore(sample: TranscriptSample): number {
  const shape = headShape(sample)
  if (shape?.kind !== 'object' || !/"sessionId"\s*:/u.test(utf8(sample.head))) return 0
  const keyed = [...shape.names].some((name) => /^(?:agent|cron|hook|global|main)(?::|$)/u.test(name))
  return keyed || basename(dirname(sample.path)) === 'sessions' ? 0.95 : 0.5
}

function isStore(path: string): boolean {
  return basename(path) === 'sessions.json'
}
