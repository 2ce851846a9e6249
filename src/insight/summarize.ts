import { loadPayload } from '../capture/large-payload.ts'
import { requireSession } from '../capture/session-reference.ts'
import { InputError } from '../errors.ts'
import type { Caller } from '../model/access.ts'
import { recordedDataNotice } from '../model/fence.ts'
import { newId } from '../model/ids.ts'
import { parseTime } from '../model/validate.ts'
import { readableText } from '../sessions/document.ts'
import type { ReadDependencies } from '../sessions/get-session.ts'
import { readMessages, type MessageRow } from '../store/messages.ts'
import { latestSummary, saveSummary } from '../store/summaries.ts'
import { summarizeExtractive, type MessageToSummarize } from './extract.ts'
import type { SummaryStyle } from './summary-style.ts'

export interface SummarizeInput {
  readonly sessionId: string
  readonly fromSeq?: number | undefined
  readonly toSeq?: number | undefined
  readonly since?: string | number | undefined
  readonly until?: string | number | undefined
  readonly style: SummaryStyle
  readonly maxTokens: number
  /** Makes the summary anew where a stored one would still be current. */
  readonly refresh: boolean
  /** Whether a summary of the whole session is stored as its `context_summary`: false for a caller that may not write. */
  readonly keep: boolean
}

/** A summary of which every sentence names the message it comes from. */
export interface SummaryReply {
  readonly notice: string
  readonly session_id: string
  readonly style: string
  readonly summary: string
  readonly citations: readonly {
    readonly sentence: number
    readonly message_id: string
    readonly seq: number
    readonly sender: string
    /** The sentence, word for word as it stands in its message. */
    readonly text: string
  }[]
  readonly made_by: 'extractive' | 'host'
  readonly coverage: { readonly from_seq: number; readonly to_seq: number; readonly messages_read: number }
}

interface Stretch {
  readonly fromSeq: number
  readonly toSeq: number
  readonly since: string | undefined
  readonly until: string | undefined
}

const pageMessages = 200

/** The turns of a stretch of a session, streamed, so that its length does not matter. */
async function* turns(
  dependencies: ReadDependencies,
  key: { readonly tenantId: number; readonly sessionId: string },
  stretch: Stretch,
): AsyncIterable<MessageToSummarize> {
  const isWanted = (row: MessageRow) =>
    row.kind === 'message' &&
    (stretch.since === undefined || row.timestamp >= stretch.since) &&
    (stretch.until === undefined || row.timestamp <= stretch.until)
  for (let fromSeq = stretch.fromSeq; fromSeq <= stretch.toSeq;) {
    const rows = await dependencies.database.run((sql) =>
      readMessages(sql, key, { fromSeq, toSeq: stretch.toSeq, limit: pageMessages }),
    )
    for (const row of rows) {
      if (!isWanted(row)) continue
      const text = readableText(row, await loadPayload(dependencies.archive, row))
      yield { id: row.id, seq: row.seq, sender: row.sender, role: row.role, text }
    }
    const last = rows.at(-1)
    if (last === undefined) return
    fromSeq = last.seq + 1
  }
}

/**
 * Summarises a session, or a stretch of it, with its own sentences (`extract.ts`). A summary of the whole session is
 * kept and shown as its `context_summary`; it is made anew when messages have been added. The source never changes.
 */
export async function summarize(
  dependencies: ReadDependencies,
  caller: Caller,
  input: SummarizeInput,
): Promise<SummaryReply> {
  const session = await requireSession(dependencies.database, caller.tenantId, input.sessionId)
  const since = input.since === undefined ? undefined : parseTime(input.since, 'since')
  const until = input.until === undefined ? undefined : parseTime(input.until, 'until')
  const fromSeq = input.fromSeq ?? 1
  const toSeq = Math.min(input.toSeq ?? session.lastSeq, session.lastSeq)
  if (fromSeq > toSeq && session.lastSeq > 0) {
    throw new InputError(
      `Cannot summarize messages ${fromSeq} to ${toSeq} of session "${session.id}" as it has messages 1 to ${session.lastSeq}`,
      {
        remedy: 'Give from_seq and to_seq inside the session, or leave them out',
      },
    )
  }
  const key = { tenantId: caller.tenantId, sessionId: session.id }
  const made = await summarizeExtractive(turns(dependencies, key, { fromSeq, toSeq, since, until }), {
    style: input.style,
    maxTokens: input.maxTokens,
  })
  const isWhole = fromSeq === 1 && toSeq === session.lastSeq && since === undefined && until === undefined
  if (input.keep && isWhole && made.sentences.length > 0)
    await keep(dependencies, key, {
      style: input.style,
      lastSeq: toSeq,
      sentences: made.sentences,
      refresh: input.refresh,
    })
  return {
    notice: recordedDataNotice,
    session_id: session.id,
    style: input.style,
    summary: made.sentences.map(({ sender, text }) => `${sender}: ${text}`).join('\n'),
    citations: made.sentences.map(({ messageId, seq, sender, text }, index) => ({
      sentence: index + 1,
      message_id: messageId,
      seq,
      sender,
      text,
    })),
    made_by: 'extractive',
    coverage: { from_seq: fromSeq, to_seq: toSeq, messages_read: made.messagesRead },
  }
}

interface Kept {
  readonly style: SummaryStyle
  readonly lastSeq: number
  readonly sentences: readonly { readonly text: string; readonly messageId: string; readonly sender: string }[]
  readonly refresh: boolean
}

/** Keeps the summary unless one of the same style and the same messages is there already. */
async function keep(
  dependencies: ReadDependencies,
  key: { readonly tenantId: number; readonly sessionId: string },
  summary: Kept,
): Promise<void> {
  const known = await dependencies.database.run((sql) => latestSummary(sql, key, summary.style))
  if (!summary.refresh && known !== undefined && known.lastSeq === summary.lastSeq) return
  const id = newId()
  await dependencies.database.run((sql) =>
    saveSummary(sql, key.tenantId, {
      id,
      sessionId: key.sessionId,
      level: 'session',
      style: summary.style,
      firstSeq: 1,
      lastSeq: summary.lastSeq,
      sentences: summary.sentences.map(({ sender, text, messageId }) => ({
        text: `${sender}: ${text}`,
        message_ids: [messageId],
      })),
      madeBy: 'extractive',
    }),
  )
}
