import { requireSession } from '../capture/session-reference.ts'
import type { Caller } from '../model/access.ts'
import type { MessageRow, SessionKey } from '../store/messages.ts'
import { pagedMessages } from '../store/page-messages.ts'
import { readSentiments } from '../store/search-units.ts'
import type { SessionRow } from '../store/session-row.ts'
import { latestSummary } from '../store/summaries.ts'
import { fullMessage, readableText, sessionHead, type MessageBody } from './document.ts'
import { messageBody } from './message-body.ts'
import { MessageView, type ViewChoice } from './message-view.ts'
import type { ReadDependencies } from './session-page.ts'

export type ExportFormat = 'json' | 'jsonl' | 'markdown'

export interface ExportChoice {
  readonly sessionId: string
  readonly format: ExportFormat
  /** Absent for all that is stored. */
  readonly view?: Pick<ViewChoice, 'view' | 'scope'> | undefined
}

async function* allMessages(
  dependencies: ReadDependencies,
  { key, view }: { readonly key: SessionKey; readonly view: MessageView | undefined },
): AsyncIterable<{ row: MessageRow; body: MessageBody; sentiment: number | null }> {
  for await (const rows of pagedMessages(dependencies.database, key, { fromSeq: 1 })) {
    const range = { fromSeq: rows[0]?.seq ?? 1, toSeq: rows.at(-1)?.seq ?? 1 }
    const sentiments = await dependencies.database.run((sql) => readSentiments(sql, key, range))
    for (const stored of rows) {
      const body = await messageBody(dependencies.archive, stored)
      const shown = (await view?.message(stored, body)) ?? { row: stored, body }
      yield { ...shown, sentiment: sentiments.get(stored.seq) ?? null }
    }
  }
}

async function viewOf(
  { pseudonymKey }: ReadDependencies,
  request: {
    readonly session: SessionRow
    readonly tenantId: number
    readonly choice: ExportChoice['view']
  },
): Promise<MessageView | undefined> {
  const { session, tenantId, choice } = request
  return choice === undefined ? undefined : await MessageView.of(session, { ...choice, tenantId, pseudonymKey })
}

/** The text of a message as a Markdown section. */
function section(row: MessageRow, text: string): string {
  return `## ${row.seq} · ${row.sender} (${row.role}) · ${row.timestamp}\n\n${text}\n\n`
}

/**
 * A whole session, streamed as text: `json` is the session document of the founding schema, `jsonl` one message a line
 * (which `verbatim import` reads), `markdown` is for reading and leaves out what is not. A message whose bytes are damaged
 * says so in the place of its content, and the rest goes on.
 */
export async function* exportSession(
  dependencies: ReadDependencies,
  caller: Caller,
  choice: ExportChoice,
): AsyncIterable<string> {
  const session = await requireSession(dependencies.database, caller, choice.sessionId)
  const key = { tenantId: caller.tenantId, sessionId: session.id }
  const view = await viewOf(dependencies, { session, tenantId: caller.tenantId, choice: choice.view })
  const messages = allMessages(dependencies, { key, view })
  const whole = sessionHead(session)
  const head = (await view?.head(whole)) ?? whole
  switch (choice.format) {
    case 'jsonl':
      for await (const { row, body, sentiment } of messages)
        yield `${JSON.stringify({ session_id: session.id, ...fullMessage(row, body, sentiment) })}\n`
      return
    case 'markdown':
      yield `# ${head.title ?? `Session ${head.session_id}`}\n\nsession ${head.session_id} · ${head.source} · ${head.message_count} messages · ${head.created_at} to ${head.last_active_at}\n\n`
      for await (const { row, body } of messages) {
        const text = 'error' in body ? `[${body.error}]` : readableText(row, body.payload)
        if (row.kind !== 'event' && text.length > 0) yield section(row, text)
      }
      return
    case 'json': {
      const summary = await latestSummary(dependencies.database, key)
      const { length } = JSON.stringify(head)
      yield `${JSON.stringify(head).slice(0, length - 1)},"messages":[`
      let separator = '\n'
      for await (const { row, body, sentiment } of messages) {
        yield `${separator}${JSON.stringify(fullMessage(row, body, sentiment))}`
        separator = ',\n'
      }
      yield `\n],"context_summary":${JSON.stringify(summary === undefined ? null : ((await view?.text(summary.text)) ?? summary.text))}}\n`
      return
    }
    default:
      choice.format satisfies never
  }
}
