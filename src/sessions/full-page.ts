import { readHeads, readMessages, type MessageHead } from '../store/messages.ts'
import { readSentiments } from '../store/search/search-units.ts'
import { fullMessage, type MessageDocument } from './document.ts'
import { elementBytes } from './json-size.ts'
import { messageBody, withheldFrom } from './message-body.ts'
import { withFlags } from './message-flags.ts'
import { pieceOfMessage } from './message-pieces.ts'
import type { Page, PageRequest, ReadDependencies } from './session-page.ts'

/** What the ids, times and hash of a message take at least; no more messages are read than could fit by that. */
const messageBytesMin = 350

/** How many of the messages may fit by the sizes that are known before they are read, at least one. */
function countThatMayFit(heads: readonly MessageHead[], roomBytes: number): number {
  let used = 0
  for (const [index, head] of heads.entries()) {
    used += head.payloadBytes + messageBytesMin
    if (used > roomBytes) return Math.max(1, index)
  }
  return heads.length
}

/**
 * A page of whole messages with everything about them, as many as fit by their real size in the reply; or one piece of
 * a message that fits no page.
 */
export async function fullPage({ database, archive }: ReadDependencies, request: PageRequest): Promise<Page> {
  const { key, from, toSeq, limit, roomBytes, view, withholds } = request
  const heads = await readHeads(database, key, { fromSeq: from.seq, toSeq, limit: limit + 1 })
  const count = from.offset > 0 ? 1 : Math.min(limit, countThatMayFit(heads, roomBytes))
  const read = await readMessages(database, key, { fromSeq: from.seq, toSeq, limit: count, withFlags: true })
  const rows = withholds === true ? read.map(withheldFrom) : read
  const [first] = rows
  const last = rows.at(-1)
  if (first === undefined || last === undefined) return { messages: [], next: undefined }
  const after = (seq: number) => (heads.some((head) => head.seq > seq) ? { seq: seq + 1, offset: 0 } : undefined)
  const range = { fromSeq: first.seq, toSeq: last.seq }
  const sentiments = await database.run((sql) => readSentiments(sql, key, range))

  const messages: MessageDocument[] = []
  let used = 0
  for (const stored of rows) {
    const whole = await messageBody(archive, stored)
    const flagged = withFlags(stored, whole)
    const { row, body } = (await view?.message(flagged, whole)) ?? { row: flagged, body: whole }
    const inPieces = stored === first && (from.offset > 0 || ('payload' in body && body.payload.length > roomBytes))
    const shown = inPieces ? undefined : fullMessage(row, body, sentiments.get(row.seq) ?? null)
    used += shown === undefined ? 0 : elementBytes(shown, roomBytes)
    if (shown !== undefined && used <= roomBytes) {
      messages.push(shown)
      continue
    }
    if (stored !== first) return { messages, next: { seq: row.seq, offset: 0 } }
    const { document, next } = pieceOfMessage(row, body, { offset: from.offset, roomBytes })
    return { messages: [document], next: next === undefined ? after(row.seq) : { seq: row.seq, offset: next } }
  }
  return { messages, next: after(last.seq) }
}
