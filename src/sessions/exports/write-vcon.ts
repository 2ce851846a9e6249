import { binaryMediaType, decodePayload, jsonMediaType, textMediaType } from '../../model/messages/payload.ts'
import type { MessageRow } from '../../store/messages.ts'
import { asStretches } from '../../store/summaries/sentences-without-messages.ts'
import { fullMessage, readableText, type MessageBody } from '../document.ts'
import type { ShownSummary } from '../summary-members.ts'
import type { ExportedMessage, ExportedSession } from './write-session.ts'

/** The syntax of draft-ietf-vcon-vcon-core-04. */
const vconSyntax = '0.4.0'
/** What the draft has no place for is in members of this name, which others pass over. */
const extension = 'verbatim'

/** How a message stands in a vCon: as JSON, its body and, where that is its text alone, its whole content. */
interface InlineFile {
  readonly mediatype: string
  readonly encoding: 'none' | 'json' | 'base64url'
  readonly body: string
  readonly content?: string
}

function inlineText(text: string): InlineFile {
  return { mediatype: textMediaType, encoding: 'none', body: JSON.stringify(text) }
}

/**
 * A message as the text that it says, which is all that most readers of vCons understand, and whole in its own bytes beside that.
 * What says nothing, as an event does, is the JSON value that it is, and bytes are base64url.
 */
function inlineFile(row: MessageRow, body: MessageBody): InlineFile {
  if ('error' in body) return inlineText('')
  const bytes = Buffer.from(body.payload)
  const decoded = decodePayload(body.payload, row.payloadMediaType)
  switch (decoded.encoding) {
    case 'json': {
      if (typeof decoded.value === 'string') return inlineText(decoded.value)
      const content = bytes.toString('utf8')
      const text = row.kind === 'event' ? '' : readableText(row, body.payload)
      return text === ''
        ? { mediatype: jsonMediaType, encoding: 'json', body: content }
        : { ...inlineText(text), content }
    }
    case 'text':
      return inlineText(decoded.value)
    case 'base64':
      return { mediatype: binaryMediaType, encoding: 'base64url', body: JSON.stringify(bytes.toString('base64url')) }
    default:
      return decoded satisfies never
  }
}

function dialogOf({ row, body, sentiment }: ExportedMessage, party: number): string {
  const {
    content: _content,
    timestamp,
    sender: _sender,
    embeddings: _embeddings,
    ...rest
  } = fullMessage(row, body, sentiment)
  const file = inlineFile(row, body)
  const about = {
    type: 'text',
    start: timestamp,
    parties: [party],
    mediatype: file.mediatype,
    encoding: file.encoding,
    message_id: row.externalId ?? row.id,
  }
  const known = JSON.stringify(rest)
  const whole = file.content === undefined ? known : `${known.slice(0, -1)},"content":${file.content}}`
  return `${JSON.stringify(about).slice(0, -1)},"${extension}":${whole},"body":${file.body}}`
}

const piece = 10_000

/** The summary as an analysis of each dialog that it is of, by their numbers: there may be a million. */
function* analysisOf({ text, withoutMessages }: ShownSummary, dialogs: number): Generator<string> {
  const about = {
    type: 'summary',
    mediatype: textMediaType,
    vendor: 'Verbatim',
    encoding: 'none',
    body: text,
    ...(withoutMessages.length > 0 && { [extension]: { sentences_without_messages: asStretches(withoutMessages) } }),
  }
  yield `${JSON.stringify(about).slice(0, -1)},"dialog":[`
  for (let from = 0; from < dialogs; from += piece) {
    const numbers = Array.from({ length: Math.min(piece, dialogs - from) }, (_, index) => from + index)
    yield `${from === 0 ? '' : ','}${numbers.join(',')}`
  }
  yield ']}'
}

/**
 * A session as a vCon (draft-ietf-vcon-vcon-core-04, unsigned form), streamed: each message is a text of its sender, the summary an
 * analysis of all of them. The parties come last, when all are known.
 */
export async function* writeVcon({ head, messages, summary }: ExportedSession): AsyncIterable<string> {
  const { session_id: uuid, title: subject, created_at, last_active_at, ...rest } = head
  const top = { vcon: vconSyntax, uuid, extensions: [extension], created_at, updated_at: last_active_at, subject }
  yield `${JSON.stringify(top).slice(0, -1)},"${extension}":${JSON.stringify(rest)},"dialog":[`
  const parties = new Map<string, number>()
  let dialogs = 0
  for await (const message of messages) {
    const { sender } = message.row
    const party = parties.get(sender) ?? parties.size
    parties.set(sender, party)
    yield `${dialogs++ === 0 ? '' : ','}\n${dialogOf(message, party)}`
  }
  const names = [...parties.keys()].map((name) => ({ name, validation: 'none' }))
  yield `\n],"parties":${JSON.stringify(names)},"analysis":[`
  // The messages of a session are numbered from 1 without a gap.
  const written = await summary()
  if (written !== undefined) yield* analysisOf(written, Math.min(dialogs, written.toSeq))
  yield ']}\n'
}
