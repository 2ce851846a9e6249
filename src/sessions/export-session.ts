import { loadPayload } from '../capture/large-payload.ts'
import { requireSession } from '../capture/session-reference.ts'
import type { Caller } from '../model/access.ts'
import { readMessages, type MessageRow } from '../store/messages.ts'
import { readSentiments } from '../store/search-units.ts'
import { latestSummary } from '../store/summaries.ts'
import { fullMessage, readableText, sessionHead } from './document.ts'
import type { ReadDependencies } from './get-session.ts'

export type ExportFormat = 'json' | 'jsonl' | 'markdown'

const pageMessages = 200

async function* allMessages(
  dependencies: ReadDependencies,
  key: { readonly tenantId: number; readonly sessionId: string },
): AsyncIterable<{ row: MessageRow; payload: Uint8Array; sentiment: number | null }> {
  for (let fromSeq = 1; ;) {
    const rows = await dependencies.database.run((sql) => readMessages(sql, key, { fromSeq, limit: pageMessages }))
    const last = rows.at(-1)
    if (last === undefined) return
    const range = { fromSeq, toSeq: last.seq }
    const sentiments = await dependencies.database.run((sql) => readSentiments(sql, key, range))
    for (const row of rows)
      yield { row, payload: await loadPayload(dependencies.archive, row), sentiment: sentiments.get(row.seq) ?? null }
    fromSeq = last.seq + 1
  }
}

/** The text of a message as a Markdown section. */
function section(row: MessageRow, text: string): string {
  return `## ${row.seq} · ${row.sender} (${row.role}) · ${row.timestamp}\n\n${text}\n\n`
}

/**
 * A whole session, streamed as text: `json` is the session document of the founding schema, `jsonl` one message a line
 * (which `verbatim import` reads), `markdown` is for reading and leaves out what is not.
 */
export async function* exportSession(
  dependencies: ReadDependencies,
  caller: Caller,
  choice: { readonly sessionId: string; readonly format: ExportFormat },
): AsyncIterable<string> {
  const session = await requireSession(dependencies.database, caller.tenantId, choice.sessionId)
  const key = { tenantId: caller.tenantId, sessionId: session.id }
  const messages = allMessages(dependencies, key)
  const head = sessionHead(session)
  switch (choice.format) {
    case 'jsonl':
      for await (const { row, payload, sentiment } of messages)
        yield `${JSON.stringify({ session_id: session.id, ...fullMessage(row, payload, sentiment) })}\n`
      return
    case 'markdown':
      yield `# ${head.title ?? `Session ${head.session_id}`}\n\nsession ${head.session_id} · ${head.source} · ${head.message_count} messages · ${head.created_at} to ${head.last_active_at}\n\n`
      for await (const { row, payload } of messages) {
        const text = readableText(row, payload)
        if (row.kind !== 'event' && text.length > 0) yield section(row, text)
      }
      return
    case 'json': {
      const summary = await dependencies.database.run((sql) => latestSummary(sql, key))
      const { length } = JSON.stringify(head)
      yield `${JSON.stringify(head).slice(0, length - 1)},"messages":[`
      let separator = '\n'
      for await (const { row, payload, sentiment } of messages) {
        yield `${separator}${JSON.stringify(fullMessage(row, payload, sentiment))}`
        separator = ',\n'
      }
      yield `\n],"context_summary":${JSON.stringify(summary?.text ?? null)}}\n`
      return
    }
    default:
      choice.format satisfies never
  }
}
