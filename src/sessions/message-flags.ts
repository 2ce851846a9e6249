import type { MessageFlags } from '../model/messages/message-flags.ts'
import { decodePayload } from '../model/messages/payload.ts'
import { flagsOf } from '../privacy/flag-text.ts'
import type { MessageRow } from '../store/messages.ts'
import { readableText, type MessageBody } from './document.ts'

/** What a message is flagged for, by everything that it holds: its text, the rest of its content, its metadata. */
export function flagsOfMessage(message: MessageRow, payload: Uint8Array): MessageFlags {
  const text = readableText(message, payload)
  const decoded = decodePayload(payload, message.payloadMediaType)
  // Of a content that is not a text, the text is what there is to read in it, and not all that it holds.
  const content = decoded.encoding === 'base64' || decoded.value === text ? '' : Buffer.from(payload).toString('utf8')
  return flagsOf({ text, whole: [text, content, message.metadata ?? ''].join('\n\n') })
}

/** A message with what it is flagged for: what the index has of it, or what is found now where it has nothing yet. */
export function withFlags(row: MessageRow, body: MessageBody): MessageRow {
  if ('error' in body || (row.flags !== undefined && row.flags !== null)) return row
  return { ...row, flags: flagsOfMessage(row, body.payload) }
}

/** Whether a text reads as if it told a model what to do. */
export function readsLikeInstructions(text: string): boolean {
  return flagsOf({ text, whole: '' }).instructions !== undefined
}
