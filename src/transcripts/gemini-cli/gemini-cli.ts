import { join } from 'node:path'

import { fileChunks, fileHead, fileSize, wholeFile } from '../bytes/file-bytes.ts'
import { textField } from '../fields.ts'
import type { TranscriptDocument, TranscriptEvent, TranscriptFormat, TranscriptSample } from '../format.ts'
import { jsonlEvents } from '../jsonl-document.ts'
import { listSpans, readListDocument, wholeConversation } from '../list-document.ts'
import { headRows, headShape } from '../sample.ts'
import { fileStem } from '../session-name.ts'
import { SpanWriter, type Conversation } from '../span-writer.ts'
import { geminiHead, GeminiMessages, GeminiRows } from './gemini-rows.ts'

/** Gemini CLI's chat recordings: a JSON document up to 0.39, JSONL since. */
export const geminiCli: TranscriptFormat = {
  name: 'gemini-cli',
  label: 'Gemini CLI',
  detect: (sample: TranscriptSample) => {
    if (isJsonl(sample)) return 0.95
    const shape = headShape(sample)
    if (shape?.kind !== 'object' || !shape.names.has('sessionId')) return 0
    return shape.names.has('messages') && (shape.names.has('startTime') || shape.names.has('projectHash')) ? 0.95 : 0
  },
  async *documents(path): AsyncGenerator<TranscriptDocument> {
    const sample = { path, head: await fileHead(path), sizeBytes: await fileSize(path) }
    const jsonl = isJsonl(sample) || (path.endsWith('.jsonl') && headShape(sample)?.names.has('messages') !== true)
    yield {
      name: '',
      events: jsonl ? jsonlEvents(fileChunks(path), new GeminiRows(fileStem(path))) : documentEvents(path),
    }
  },
  places: (home) => [{ path: join(home, '.gemini', 'tmp'), match: /\/chats\/(?:[^/]+\/)*[^/]+\.jsonl?$/u }],
}

async function* documentEvents(path: string): AsyncGenerator<TranscriptEvent> {
  const writer = new SpanWriter()
  yield* writer.conversation(readConversation(await wholeFile(path), fileStem(path)))
  yield writer.end()
}

function readConversation(bytes: Uint8Array, fallback: string): Conversation {
  const document = readListDocument(bytes, ['messages'])
  if (document === undefined) return wholeConversation(bytes, fallback)
  const messages = new GeminiMessages()
  return {
    bytes,
    head: geminiHead(document.facts, fallback),
    spans: listSpans(bytes, document, (value) => messages.read(value)),
  }
}

function isJsonl(sample: TranscriptSample): boolean {
  const [first] = headRows(sample)
  return (
    textField(first, 'sessionId') !== undefined &&
    textField(first, 'startTime') !== undefined &&
    first?.['messages'] === undefined
  )
}
