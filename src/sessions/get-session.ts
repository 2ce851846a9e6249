import { z } from 'zod'

import { loadPayload } from '../capture/large-payload.ts'
import { requireSession } from '../capture/session-reference.ts'
import type { Caller } from '../model/access.ts'
import { decodeCursor, encodeCursor } from '../model/cursor.ts'
import { recordedDataNotice } from '../model/fence.ts'
import { decodeUtf8 } from '../model/payload.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import type { Database } from '../store/database.ts'
import { readHeads, readMessages, type MessageHead, type MessageRow, type SessionKey } from '../store/messages.ts'
import { readSentiments } from '../store/search-units.ts'
import { latestSummary } from '../store/summaries.ts'
import {
  compactMessage,
  fullMessage,
  partOfMessage,
  readableText,
  sessionHead,
  type MessageDocument,
  type SessionDocument,
} from './document.ts'

export interface ReadDependencies {
  readonly database: Database
  readonly archive: ArchiveStore
}

export interface GetSessionInput {
  readonly sessionId: string
  readonly fromSeq?: number | undefined
  readonly toSeq?: number | undefined
  readonly limit: number
  readonly maxTokens: number
  /** `full`: everything, losslessly. `compact`: what one reads, without events and without metadata. */
  readonly view: 'full' | 'compact'
  readonly cursor?: string | undefined
}

/** A token is about four characters of English, and fewer of JSON and code; pages are cut by this many bytes a token. */
const bytesPerToken = 3.5
/** What a message's ids, names, times and hash take in a page, beside its content. */
const messageOverheadBytes = 550
const compactOverheadBytes = 160
const pageOverheadBytes = 1_500

const placeSchema = z.object({ session: z.string(), seq: z.number().int().min(0), offset: z.number().int().min(0) })

interface Page {
  readonly messages: readonly MessageDocument[]
  /** Where the next page begins, or undefined at the end. */
  readonly next: { readonly seq: number; readonly offset: number } | undefined
}

interface PageRequest {
  readonly key: SessionKey
  readonly from: { readonly seq: number; readonly offset: number }
  readonly toSeq: number | undefined
  readonly limit: number
  readonly budgetBytes: number
}

/** How many of the messages fit, at least one: the first is cut into pieces where it alone is too large. */
function countThatFits(heads: readonly MessageHead[], budgetBytes: number): number {
  let used = 0
  for (const [index, head] of heads.entries()) {
    used += head.payloadBytes + messageOverheadBytes
    if (used > budgetBytes) return Math.max(1, index)
  }
  return heads.length
}

/** The longest piece from `offset` that does not cut a character in two; base64 pieces cut at three bytes instead. */
function pieceOf(payload: Uint8Array, offset: number, lengthMax: number): { text: string; end: number } {
  const isText = decodeUtf8(payload) !== undefined
  let end = Math.min(payload.length, offset + (isText ? lengthMax : Math.floor((lengthMax * 3) / 4 / 3) * 3))
  // A UTF-8 continuation byte is 10xxxxxx: step back to the character's first byte.
  if (isText) while (end < payload.length && ((payload[end] ?? 0) & 0xc0) === 0x80) end--
  const bytes = Buffer.from(payload.subarray(offset, end))
  return { text: bytes.toString(isText ? 'utf8' : 'base64'), end }
}

async function fullPage(dependencies: ReadDependencies, request: PageRequest): Promise<Page> {
  const { key, from, toSeq, limit, budgetBytes } = request
  const heads = await dependencies.database.run((sql) =>
    readHeads(sql, key, { fromSeq: from.seq, toSeq, limit: limit + 1 }),
  )
  const first = heads[0]
  if (first === undefined) return { messages: [], next: undefined }
  const count = Math.min(limit, countThatFits(heads, budgetBytes))
  const rows = await dependencies.database.run((sql) =>
    readMessages(sql, key, { fromSeq: from.seq, toSeq, limit: count }),
  )
  const after = (seq: number) => (heads.some((head) => head.seq > seq) ? { seq: seq + 1, offset: 0 } : undefined)

  const row = rows[0]
  if (row !== undefined && (from.offset > 0 || first.payloadBytes + messageOverheadBytes > budgetBytes)) {
    const payload = await loadPayload(dependencies.archive, row)
    const piece = pieceOf(
      payload,
      Math.min(from.offset, payload.length),
      Math.max(budgetBytes - messageOverheadBytes, 1_000),
    )
    return {
      messages: [partOfMessage(row, payload, { offsetBytes: from.offset, text: piece.text })],
      next: piece.end < payload.length ? { seq: row.seq, offset: piece.end } : after(row.seq),
    }
  }
  const messages: MessageDocument[] = []
  const range = { fromSeq: from.seq, toSeq: rows.at(-1)?.seq ?? from.seq }
  const sentiments = await dependencies.database.run((sql) => readSentiments(sql, key, range))
  for (const message of rows) {
    const payload = await loadPayload(dependencies.archive, message)
    messages.push(fullMessage(message, payload, sentiments.get(message.seq) ?? null))
  }
  return { messages, next: after(rows.at(-1)?.seq ?? first.seq) }
}

/** In the compact view a text longer than this is shown by its beginning; `view: "full"` has the rest. */
const compactTextCharactersMax = 4_000

async function compactText(archive: ArchiveStore, row: MessageRow): Promise<string> {
  return readableText(row, await loadPayload(archive, row))
}

async function compactPage(dependencies: ReadDependencies, request: PageRequest): Promise<Page> {
  const { key, toSeq, limit, budgetBytes } = request
  const messages: MessageDocument[] = []
  let used = 0
  let fromSeq = request.from.seq
  for (;;) {
    const heads = await dependencies.database.run((sql) => readHeads(sql, key, { fromSeq, toSeq, limit: 100 }))
    const worth = heads.filter((head) => head.kind !== 'event')
    for (const head of worth) {
      const [row] = await dependencies.database.run((sql) => readMessages(sql, key, { fromSeq: head.seq, limit: 1 }))
      if (row === undefined) continue
      const whole = await compactText(dependencies.archive, row)
      if (whole.length === 0) continue
      const text =
        whole.length > compactTextCharactersMax ? `${whole.slice(0, compactTextCharactersMax).trimEnd()}…` : whole
      const cost = Buffer.byteLength(text) + compactOverheadBytes
      if (messages.length > 0 && (messages.length >= limit || used + cost > budgetBytes)) {
        return { messages, next: { seq: head.seq, offset: 0 } }
      }
      used += cost
      messages.push(compactMessage(row, text, text.length < whole.length))
    }
    const last = heads.at(-1)
    if (last === undefined || heads.length < 100) return { messages, next: undefined }
    fromSeq = last.seq + 1
  }
}

/**
 * A session, page by page, in order. In the full view every page carries the exact content of its messages, each
 * checked against its SHA-256; a message larger than a page comes in pieces. `next_cursor` is absent on the last page.
 */
export async function getSession(
  dependencies: ReadDependencies,
  caller: Caller,
  input: GetSessionInput,
): Promise<SessionDocument> {
  const session = await requireSession(dependencies.database, caller.tenantId, input.sessionId)
  const place =
    input.cursor === undefined
      ? undefined
      : decodeCursor(
          'session',
          input.cursor,
          placeSchema.refine((value) => value.session === session.id),
        )
  const request: PageRequest = {
    key: { tenantId: caller.tenantId, sessionId: session.id },
    from: place ?? { seq: input.fromSeq ?? 1, offset: 0 },
    toSeq: input.toSeq,
    limit: input.limit,
    budgetBytes: Math.max(Math.floor(input.maxTokens * bytesPerToken) - pageOverheadBytes, 1_000),
  }
  const page = await (input.view === 'full' ? fullPage(dependencies, request) : compactPage(dependencies, request))
  const summary = await dependencies.database.run((sql) =>
    latestSummary(sql, { tenantId: caller.tenantId, sessionId: session.id }),
  )
  return {
    ...sessionHead(session),
    notice: recordedDataNotice,
    messages: page.messages,
    context_summary: summary?.text ?? null,
    ...(page.next === undefined ? {} : { next_cursor: encodeCursor('session', { session: session.id, ...page.next }) }),
  }
}
