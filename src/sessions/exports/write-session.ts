import { counted } from '../../model/text/counted.ts'
import { inOneLine } from '../../model/text/one-line.ts'
import type { MessageRow } from '../../store/messages.ts'
import { fullMessage, type MessageBody } from '../document.ts'
import { messageParts, thoughtLabel, type MessagePart } from '../message-parts.ts'
import { stateOfRow } from '../message-state.ts'
import { summaryMembers, type ShownSummary } from '../summary-members.ts'
import { writeVcon } from './write-vcon.ts'

export const exportFormats = ['json', 'jsonl', 'markdown', 'html', 'vcon'] as const
export type ExportFormat = (typeof exportFormats)[number]

/** What an export says of a session before its messages. */
export interface ExportedHead {
  readonly session_id: string
  readonly title?: string | undefined
  readonly source: string
  readonly message_count: number
  readonly created_at: string
  readonly last_active_at: string
  /** How far names were looked for, where it is without personal data. */
  readonly names_note?: string | undefined
}

export interface ExportedMessage {
  readonly row: MessageRow
  readonly body: MessageBody
  readonly sentiment: number | null
}

export interface ExportedSession {
  readonly head: ExportedHead
  readonly messages: AsyncIterable<ExportedMessage>
  /** Asked for once the messages are written. */
  readonly summary: () => Promise<ShownSummary | undefined>
}

/**
 * A message as a Markdown section, its parts in quotations: whatever they say, open code fences and headings too, ends with them. What a
 * model thought and did not say stands under a word that says so.
 */
function section(row: MessageRow, parts: readonly MessagePart[]): string {
  const told = [row.timestamp, ...stateOfRow(row)].join(', ')
  const quoted = parts.map(({ isThought, text }) => `${isThought ? `*${thoughtLabel}:*\n\n` : ''}${quotation(text)}`)
  // Two quotations with nothing but a blank line between them are one to some readers.
  const body = quoted.reduce((before, part) => `${before}${part.startsWith('>') ? '\n\n*Said:*\n\n' : '\n\n'}${part}`)
  return `## ${row.seq} · ${asMarkdown(row.sender)} (${row.role}) · ${told}\n\n${body}\n\n`
}

function quotation(text: string): string {
  return text
    .split(/\r\n|\r|\n/u)
    .map((line) => (line === '' ? '>' : `> ${line}`))
    .join('\n')
}

/** A name or a title in one line of Markdown, as it reads. */
function asMarkdown(name: string): string {
  return inOneLine(name).replaceAll(/[\\`*_{}[\]<>#|!&~]/gu, String.raw`\$&`)
}

/**
 * A session as text, streamed: `json` is the session document of the founding schema, `jsonl` one message a line (which
 * `verbatim import` reads), `markdown` and `html` are for reading and leave out what is not, `vcon` is the IETF's container of
 * conversations. A message whose bytes are damaged says so in
 * the place of its content, and the rest goes on.
 */
export async function* writeSession(format: ExportFormat, session: ExportedSession): AsyncIterable<string> {
  const { head, messages, summary } = session
  switch (format) {
    case 'html':
      // Who writes no page need not load what writes one.
      yield* (await import('./write-html.ts')).writeHtml(session)
      return
    case 'vcon':
      yield* writeVcon(session)
      return
    case 'jsonl':
      for await (const { row, body, sentiment } of messages)
        yield `${JSON.stringify({ session_id: head.session_id, ...fullMessage(row, body, sentiment) })}\n`
      return
    case 'markdown':
      yield `# ${asMarkdown(head.title ?? `Session ${head.session_id}`)}\n\nsession ${head.session_id} · ${head.source} · ${counted(head.message_count, 'message')} · ${head.created_at} to ${head.last_active_at}\n\n${head.names_note === undefined ? '' : `${head.names_note}\n\n`}`
      for await (const { row, body } of messages) {
        if (row.kind === 'event') continue
        const parts =
          'error' in body ? [{ isThought: false, text: `[${body.error}]` }] : messageParts(row, body.payload)
        if (parts.some(({ text }) => text.length > 0)) yield section(row, parts)
      }
      return
    case 'json': {
      yield `${JSON.stringify(head).slice(0, -1)},"messages":[`
      let separator = '\n'
      for await (const { row, body, sentiment } of messages) {
        yield `${separator}${JSON.stringify(fullMessage(row, body, sentiment))}`
        separator = ',\n'
      }
      yield `\n],${JSON.stringify(summaryMembers(await summary())).slice(1)}\n`
      return
    }
    default:
      format satisfies never
  }
}
