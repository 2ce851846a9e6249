import { requireUsableSession } from '../capture/session-reference.ts'
import { InputError } from '../errors.ts'
import type { Caller } from '../model/access.ts'
import { recordedDataNotice } from '../model/fence.ts'
import { newId } from '../model/ids.ts'
import type { SummaryStyle } from '../model/summary-style.ts'
import { parseTime } from '../model/validate.ts'
import { readableText } from '../sessions/document.ts'
import { messageBody } from '../sessions/message-body.ts'
import type { ReadDependencies } from '../sessions/session-page.ts'
import { readErasures } from '../store/erasure/keep-from-erasure.ts'
import type { MessageRow, SessionKey } from '../store/messages.ts'
import { pagedMessages } from '../store/page-messages.ts'
import { currentSummary, saveSummary, sealSummary, type Summary } from '../store/summaries.ts'
import { summarizeExtractive, type MessageToSummarize, type SummarySentence } from './extract.ts'

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

/** A summary. Of an extracted one every sentence names the message it comes from; one that a model wrote has no citations. */
export interface SummaryReply {
  readonly notice: string
  readonly session_id: string
  readonly style: string
  readonly summary: string
  /** Whether the summary or a sentence of it was cut to fit the reply. */
  readonly truncated?: boolean
  readonly citations: readonly {
    readonly sentence: number
    readonly message_id: string
    readonly seq: number
    readonly sender: string
    /** The sentence, word for word as it stands in its message. */
    readonly text: string
  }[]
  readonly made_by: 'extractive' | 'host'
  /** The model that wrote it, where that was said. */
  readonly model?: string
  readonly coverage: {
    readonly from_seq: number
    readonly to_seq: number
    readonly messages_read?: number
    /** Messages of the session after `to_seq`, which the summary knows nothing of. */
    readonly newer_messages?: number
  }
}

interface Stretch {
  readonly fromSeq: number
  readonly toSeq: number
  readonly since: string | undefined
  readonly until: string | undefined
}

/** The turns of a stretch of a session, streamed, so that its length does not matter. Damaged and restricted ones are left out. */
async function* turns(
  dependencies: ReadDependencies,
  key: SessionKey,
  stretch: Stretch,
): AsyncIterable<MessageToSummarize> {
  const isWanted = (row: MessageRow) =>
    row.kind === 'message' &&
    (stretch.since === undefined || row.timestamp >= stretch.since) &&
    (stretch.until === undefined || row.timestamp <= stretch.until)
  for await (const rows of pagedMessages(dependencies.database, key, { ...stretch, usable: true })) {
    for (const row of rows.filter(isWanted)) {
      const body = await messageBody(dependencies.archive, row)
      if ('error' in body) continue
      yield {
        id: row.id,
        seq: row.seq,
        sender: row.sender,
        role: row.role,
        text: spokenText(row, readableText(row, body.payload)),
      }
    }
  }
}

/** A message's words without the calls that it makes: tool input is code and data, and no sentence of the conversation. */
function spokenText(row: MessageRow, text: string): string {
  const tools = row.toolsUsed ?? []
  const paragraphs = text.split('\n\n')
  const call = paragraphs.findIndex((paragraph) =>
    tools.some((tool) => paragraph === tool || paragraph.startsWith(`${tool} `)),
  )
  return call < 0 ? text : paragraphs.slice(0, call).join('\n\n')
}

/** What a reply says whichever way its summary was made. */
interface Scope {
  readonly sessionId: string
  readonly style: string
  readonly coverage: SummaryReply['coverage']
}

/** The reply that quotes these sentences. */
function quotingReply(scope: Scope, sentences: readonly SummarySentence[]): SummaryReply {
  return {
    notice: recordedDataNotice,
    session_id: scope.sessionId,
    style: scope.style,
    summary: sentences.map(({ sender, text }) => `${sender}: ${text}`).join('\n'),
    citations: sentences.map(({ messageId, seq, sender, text }, index) => ({
      sentence: index + 1,
      message_id: messageId,
      seq,
      sender,
      text,
    })),
    made_by: 'extractive',
    coverage: scope.coverage,
  }
}

/** The sentences of a stored summary as they were chosen, or undefined where it does not say whom they quote. */
function quotedSentences(stored: Summary): SummarySentence[] | undefined {
  const sentences: SummarySentence[] = []
  for (const {
    text,
    message_ids: [messageId],
    sender,
    seq,
  } of stored.sentences) {
    if (messageId === undefined || sender === undefined || seq === undefined) return undefined
    sentences.push({ text: text.slice(`${sender}: `.length), messageId, seq, sender })
  }
  return sentences
}

/** The reply that a stored summary makes: any that a model wrote; an extracted one if it was asked for in this length. */
function storedReply(stored: Summary, sessionId: string, maxTokens: number): SummaryReply | undefined {
  const { making, style } = stored
  const coverage = { from_seq: stored.firstSeq ?? 1, to_seq: stored.lastSeq ?? 0 }
  if (stored.madeBy === 'host') {
    return {
      notice: recordedDataNotice,
      session_id: sessionId,
      style,
      summary: stored.text,
      citations: [],
      made_by: 'host',
      ...(stored.model === null ? {} : { model: stored.model }),
      coverage,
    }
  }
  const sentences = making?.max_tokens === maxTokens ? quotedSentences(stored) : undefined
  if (making === undefined || sentences === undefined) return undefined
  return quotingReply({ sessionId, style, coverage: { ...coverage, messages_read: making.messages_read } }, sentences)
}

/**
 * Summarises a session, or a stretch of it, with its own sentences (`extract.ts`). Of a whole session a stored summary
 * that is still current is returned: what the calling model wrote first, then an extracted one of the same style and
 * length. A newly made one is kept and shown as the session's `context_summary`. The source never changes.
 */
export async function summarize(
  dependencies: ReadDependencies,
  caller: Caller,
  input: SummarizeInput,
): Promise<SummaryReply> {
  const session = await requireUsableSession(dependencies.database, caller, input.sessionId)
  const since = input.since === undefined ? undefined : parseTime(input.since, 'since')
  const until = input.until === undefined ? undefined : parseTime(input.until, 'until')
  const { id: sessionId, lastSeq } = session
  const fromSeq = input.fromSeq ?? 1
  const toSeq = Math.min(input.toSeq ?? lastSeq, lastSeq)
  if (fromSeq > toSeq && lastSeq > 0) {
    throw new InputError(
      `Cannot summarize messages ${fromSeq} to ${toSeq} of session "${sessionId}" as it has messages 1 to ${lastSeq}`,
      {
        remedy: 'Give from_seq and to_seq inside the session, or leave them out',
      },
    )
  }
  const key = { tenantId: caller.tenantId, sessionId }
  const { style, maxTokens } = input
  const isWhole = fromSeq === 1 && toSeq === lastSeq && since === undefined && until === undefined
  const stored =
    isWhole && !input.refresh ? await currentSummary(dependencies.database, key, { style, lastSeq }) : undefined
  const known = stored === undefined ? undefined : storedReply(stored, sessionId, maxTokens)
  if (known !== undefined) return known

  const erasures = await dependencies.database.run((sql) => readErasures(sql, key))
  const made = await summarizeExtractive(turns(dependencies, key, { fromSeq, toSeq, since, until }), {
    style,
    maxTokens,
  })
  // One of another length stays: calls of two lengths would otherwise store a summary each time.
  if (input.keep && isWhole && stored === undefined && made.sentences.length > 0)
    await keep(dependencies, key, { style, lastSeq, maxTokens, erasures, ...made })
  const newer = lastSeq - toSeq
  const coverage = {
    from_seq: fromSeq,
    to_seq: toSeq,
    messages_read: made.messagesRead,
    ...(newer > 0 ? { newer_messages: newer } : {}),
  }
  return quotingReply({ sessionId, style, coverage }, made.sentences)
}

async function keep(
  dependencies: ReadDependencies,
  key: SessionKey,
  summary: {
    readonly style: SummaryStyle
    readonly lastSeq: number
    readonly maxTokens: number
    readonly sentences: readonly SummarySentence[]
    readonly messagesRead: number
    readonly erasures: number
  },
): Promise<void> {
  const id = newId()
  const seal = await dependencies.database.vault.sealOf(key.tenantId, key.sessionId)
  const sealed = sealSummary(
    {
      id,
      sessionId: key.sessionId,
      level: 'session',
      style: summary.style,
      firstSeq: 1,
      lastSeq: summary.lastSeq,
      sentences: summary.sentences.map(({ sender, seq, text, messageId }) => ({
        text: `${sender}: ${text}`,
        message_ids: [messageId],
        sender,
        seq,
      })),
      madeBy: 'extractive',
      making: { max_tokens: summary.maxTokens, messages_read: summary.messagesRead },
    },
    seal,
  )
  await dependencies.database.run((sql) => saveSummary(sql, key.tenantId, { ...sealed, erasures: summary.erasures }))
}
