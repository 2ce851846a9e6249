import type { ArchiveStore } from '../ports/archive-store.ts'
import { readHeads, readMessages, type MessageHead, type MessageRow } from '../store/messages.ts'
import { compactMessage, readableText, type MessageDocument } from './document.ts'
import { cutText, elementBytes } from './json-size.ts'
import { messageBody, withheldFrom } from './message-body.ts'
import { withFlags } from './message-flags.ts'
import type { MessageView } from './message-view.ts'
import type { Page, PageRequest, ReadDependencies } from './session-page.ts'

/** In the compact view a text longer than this is shown by its beginning; `view: "full"` has the rest. */
const compactTextCharactersMax = 4_000
const batchMessagesMax = 200
const batchBytesMax = 4 * 1024 * 1024

/** The messages from `fromSeq` that are worth reading, in batches of bounded bytes. */
async function* batches({ database }: ReadDependencies, request: PageRequest): AsyncIterable<readonly MessageRow[]> {
  const { key, toSeq } = request
  // One more than the page tells whether another page follows.
  const limit = Math.min(request.limit + 1, batchMessagesMax)
  for (let fromSeq = request.from.seq; ;) {
    const range = { fromSeq, toSeq, limit, withoutEvents: true, withFlags: true }
    const heads = await readHeads(database, key, range)
    const batch = headsWithin(heads, batchBytesMax)
    const last = batch.at(-1)
    if (last === undefined) return
    yield await readMessages(database, key, { ...range, toSeq: last.seq, limit: batch.length })
    if (heads.length < limit && batch.length === heads.length) return
    fromSeq = last.seq + 1
  }
}

function headsWithin(heads: readonly MessageHead[], bytesMax: number): readonly MessageHead[] {
  let bytes = 0
  const end = heads.findIndex((head, index) => {
    bytes += head.payloadBytes
    return index > 0 && bytes > bytesMax
  })
  return end === -1 ? heads : heads.slice(0, end)
}

/** A message as the compact view shows it, or undefined where there is nothing to read in it. */
async function readCompactly(
  archive: ArchiveStore,
  stored: MessageRow,
  view: MessageView | undefined,
): Promise<MessageDocument | undefined> {
  const body = await messageBody(archive, stored)
  const flagged = withFlags(stored, body)
  const row = (await view?.row(flagged)) ?? flagged
  if ('error' in body) return compactMessage(row, body)
  const whole = (await view?.readable(stored, body.payload)) ?? readableText(stored, body.payload)
  if (whole.length === 0) return undefined
  if (whole.length <= compactTextCharactersMax) return compactMessage(row, { text: whole, truncated: false })
  const text = `${whole.slice(0, compactTextCharactersMax).toWellFormed().trimEnd()}…`
  return compactMessage(row, { text, truncated: true })
}

/** The first message of a page goes out however long it is, cut to the room there is. */
function cutToRoom(message: MessageDocument, roomBytes: number): MessageDocument {
  const { text } = message
  const size = elementBytes(message, roomBytes)
  if (text === undefined || size <= roomBytes) return message
  const frame = { ...message, text: '', truncated: true }
  return { ...frame, text: cutText(text, Math.max(roomBytes - elementBytes(frame, roomBytes), 100)) }
}

/** A page of what one reads: texts without events and metadata, as many as fit by their real size in the reply. */
export async function compactPage(dependencies: ReadDependencies, request: PageRequest): Promise<Page> {
  const messages: MessageDocument[] = []
  let used = 0
  for await (const rows of batches(dependencies, request)) {
    for (const row of rows) {
      const stored = request.withholds === true ? withheldFrom(row) : row
      const read = await readCompactly(dependencies.archive, stored, request.view)
      if (read === undefined) continue
      const message = messages.length === 0 ? cutToRoom(read, request.roomBytes) : read
      used += elementBytes(message, request.roomBytes)
      if (messages.length > 0 && (messages.length >= request.limit || used > request.roomBytes))
        return { messages, next: { seq: row.seq, offset: 0 } }
      messages.push(message)
    }
  }
  return { messages, next: undefined }
}
