import { binaryMediaType, decodePayload, jsonMediaType, textMediaType } from '../model/payload.ts'
import type { MessageRow } from '../store/messages.ts'
import { fullMessage, type MessageBody } from './document.ts'
import type { ExportedMessage, ExportedSession } from './write-session.ts'

/** The syntax of draft-ietf-vcon-vcon-core-04. */
const vconSyntax = '0.4.0'
/** What the draft has no place for is in members of this name, which others pass over. */
const extension = 'verbatim'

/** The bytes of a message as an inline file: text as it is, JSON as the text that it is, anything else in base64url. */
function inlineFile({ payloadMediaType: mediaType }: MessageRow, body: MessageBody) {
  if ('error' in body) return { mediatype: textMediaType, encoding: 'none', body: '' }
  const decoded = decodePayload(body.payload, mediaType)
  switch (decoded.encoding) {
    case 'json':
      return typeof decoded.value === 'string'
        ? { mediatype: textMediaType, encoding: 'none', body: decoded.value }
        : { mediatype: jsonMediaType, encoding: 'json', body: Buffer.from(body.payload).toString('utf8') }
    case 'text':
      return { mediatype: textMediaType, encoding: 'none', body: decoded.value }
    case 'base64':
      return {
        mediatype: binaryMediaType,
        encoding: 'base64url',
        body: Buffer.from(body.payload).toString('base64url'),
      }
    default:
      return decoded satisfies never
  }
}

function dialogOf({ row, body, sentiment }: ExportedMessage, party: number) {
  const {
    content: _content,
    timestamp,
    sender: _sender,
    embeddings: _embeddings,
    ...rest
  } = fullMessage(row, body, sentiment)
  return {
    type: 'text',
    start: timestamp,
    parties: [party],
    ...inlineFile(row, body),
    message_id: row.externalId ?? row.id,
    [extension]: rest,
  }
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
  let separator = '\n'
  for await (const message of messages) {
    const { sender } = message.row
    const party = parties.get(sender) ?? parties.size
    parties.set(sender, party)
    yield `${separator}${JSON.stringify(dialogOf(message, party))}`
    separator = ',\n'
  }
  const text = await summary()
  const analysis =
    text === null
      ? []
      : [{ type: 'summary', mediatype: textMediaType, vendor: 'Verbatim', encoding: 'none', body: text }]
  const names = [...parties.keys()].map((name) => ({ name, validation: 'none' }))
  yield `\n],"parties":${JSON.stringify(names)},"analysis":${JSON.stringify(analysis)}}\n`
}
