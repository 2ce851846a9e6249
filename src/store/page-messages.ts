import { limits } from '../limits.ts'
import {
  readHeads,
  readMessages,
  type MessageHead,
  type MessageRow,
  type MessageSource,
  type SessionKey,
} from './messages.ts'

const headsMax = 500
const pageBytesDefault = 4 * 1024 * 1024

/** A stretch of a session by number, both ends included. */
export interface MessageRange {
  readonly fromSeq: number
  readonly toSeq?: number | undefined
  /** About how many bytes a page may hold; 4 MiB where absent. */
  readonly pageBytesMax?: number | undefined
  /** Leaves out what is not to be used: what is restricted, or was corrected. */
  readonly usable?: boolean
  /** Leaves out what is larger, before it is read. */
  readonly payloadBytesMax?: number | undefined
  /** Of this sender alone. */
  readonly sender?: string | undefined
  /** Of this time alone, both ends included. */
  readonly since?: string | undefined
  readonly until?: string | undefined
  /** Asks what the messages are flagged for. */
  readonly withFlags?: boolean
}

/** An archived payload does not come with its row, but the row's text may be as long as a text that is stored can be. */
function bytesOf(head: MessageHead): number {
  return head.payloadLocation === null ? head.payloadBytes : Math.min(head.payloadBytes, limits.messageBytesMax)
}

/** Cuts heads into pages of at most `bytesMax`; a message above it has a page of its own. */
function* cutPages(heads: readonly MessageHead[], bytesMax: number): Generator<readonly MessageHead[]> {
  let page: MessageHead[] = []
  let bytes = 0
  for (const head of heads) {
    if (page.length > 0 && bytes + bytesOf(head) > bytesMax) {
      yield page
      page = []
      bytes = 0
    }
    page.push(head)
    bytes += bytesOf(head)
  }
  if (page.length > 0) yield page
}

/**
 * Messages of a session in order, with their bytes, in pages that are bounded by bytes and not by rows alone: a page of
 * small messages holds up to 500, one of large messages about 4 MiB. No page is empty; numbers that do not exist are
 * absent. Memory is bounded by one page.
 */
export async function* pagedMessages(
  database: MessageSource,
  key: SessionKey,
  range: MessageRange,
): AsyncGenerator<readonly MessageRow[]> {
  const { usable = false, payloadBytesMax, sender, since, until, withFlags = false } = range
  const chosen = { usable, payloadBytesMax, sender, since, until }
  let { fromSeq } = range
  for (;;) {
    const heads = await readHeads(database, key, { fromSeq, toSeq: range.toSeq, limit: headsMax, ...chosen })
    for (const page of cutPages(heads, range.pageBytesMax ?? pageBytesDefault)) {
      const [first] = page
      const last = page.at(-1)
      if (first === undefined || last === undefined) continue
      const stretch = { fromSeq: first.seq, toSeq: last.seq, limit: page.length, ...chosen, withFlags }
      const rows = await readMessages(database, key, stretch)
      if (rows.length > 0) yield rows
    }
    const last = heads.at(-1)
    if (last === undefined || heads.length < headsMax) return
    fromSeq = last.seq + 1
  }
}
