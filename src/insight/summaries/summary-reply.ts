import { recordedDataNotice } from '../../model/text/fence.ts'
import { sentencesWithoutMessages } from '../../store/summaries/sentences-without-messages.ts'
import type { Summary } from '../../store/summaries/summaries.ts'
import type { SummarySentence } from '../extracts/candidates.ts'
import { writtenSentences } from './by-model/take-notes.ts'
import type { WrittenSentence } from './by-model/write-sentences.ts'

/**
 * A summary, a sentence a line. Each sentence names the messages it comes from; of what the calling model wrote only those do that it
 * gave citations, or that some were found for.
 */
export interface SummaryReply {
  readonly notice: string
  /** Absent where it is of several. */
  readonly session_id?: string
  readonly style: string
  readonly summary: string
  /** Whether the summary or a sentence of it was cut to fit the reply. */
  readonly truncated?: boolean
  readonly citations: readonly {
    /** The number of the sentence, from 1. */
    readonly sentence: number
    /** Where the summary is of several sessions: the one of the message. */
    readonly session_id?: string
    readonly message_id: string
    readonly seq: number
    readonly sender: string
    /** Where the calling model gave none for the sentence, and this was found for it. */
    readonly found?: true
    /** Of an extracted summary: the sentence, word for word as it stands in its message. */
    readonly text?: string
  }[]
  readonly made_by: 'gemini' | 'openai_compatible' | 'host' | 'extractive'
  /** The model that wrote it, where that was said. */
  readonly model?: string
  readonly coverage: {
    readonly from_seq?: number
    readonly to_seq?: number
    /** Of how many sessions it is, where it is of several; and whether there are more that were not looked at. */
    readonly sessions?: number
    readonly has_more?: boolean
    readonly messages_read?: number
    /** Messages that were left out, as they hold secrets or read like instructions to a model. */
    readonly messages_left_out?: number
    /** Sentences of the model that were dropped, as the messages that they cite do not bear them out. */
    readonly sentences_dropped?: number
    /** Sentences of a calling model's, by number, that no message is known to bear out; and of these the ones with names that stood nowhere. */
    readonly sentences_without_messages?: readonly number[]
    readonly names_not_in_session?: readonly number[]
    /** Messages of the session after `to_seq`, which the summary knows nothing of. */
    readonly newer_messages?: number
  }
  /** Where the summary is empty and a query was asked: no sentence that was found has enough of its words. */
  readonly no_answer?: boolean
  /** Why it is another summary than the settings ask for, or lacks messages. */
  readonly degraded?: readonly string[]
}

/** What a reply says whichever way its summary was made. */
export interface SummaryScope {
  readonly sessionId: string
  readonly style: string
  readonly coverage: SummaryReply['coverage']
}

/** The reply that quotes these sentences. */
export function quotingReply(scope: SummaryScope, sentences: readonly SummarySentence[]): SummaryReply {
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

/** The reply with the sentences that a model of ours wrote. */
export function writtenReply(
  scope: SummaryScope,
  written: {
    readonly sentences: readonly WrittenSentence[]
    readonly madeBy: 'gemini' | 'openai_compatible'
    readonly model: string | undefined
  },
): SummaryReply {
  return {
    notice: recordedDataNotice,
    session_id: scope.sessionId,
    style: scope.style,
    summary: written.sentences.map(({ text }) => text).join('\n'),
    citations: citationsOf(written.sentences),
    made_by: written.madeBy,
    ...(written.model === undefined ? {} : { model: written.model }),
    coverage: scope.coverage,
  }
}

function citationsOf(sentences: readonly WrittenSentence[]): SummaryReply['citations'] {
  return sentences.flatMap(({ sources }, index) =>
    sources.map(({ messageId, seq, sender }) => ({ sentence: index + 1, message_id: messageId, seq, sender })),
  )
}

/** What of the messages a summary is made of, where there is something to say. */
export function countsOf(read: {
  readonly messagesRead: number
  readonly leftOut?: number | undefined
  readonly dropped?: number | undefined
}): Pick<SummaryReply['coverage'], 'messages_read' | 'messages_left_out' | 'sentences_dropped'> {
  const { messagesRead, leftOut = 0, dropped = 0 } = read
  return {
    messages_read: messagesRead,
    ...(leftOut === 0 ? {} : { messages_left_out: leftOut }),
    ...(dropped === 0 ? {} : { sentences_dropped: dropped }),
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

/**
 * The reply that a stored summary makes: any that the calling model wrote; one that a model of ours wrote if it was asked for in
 * this length or a greater one, as its first sentences are the most important; an extracted one if in this length.
 */
export function storedReply(stored: Summary, sessionId: string, maxTokens: number): SummaryReply | undefined {
  const { making, style, madeBy } = stored
  const coverage = { from_seq: stored.firstSeq ?? 1, to_seq: stored.lastSeq ?? 0 }
  const model = stored.model ?? undefined
  if (madeBy === 'host') {
    const { all, unknown } = sentencesWithoutMessages(stored)
    const isFound = (sentence: number) => stored.sentences[sentence - 1]?.looked_for === 'found'
    return {
      notice: recordedDataNotice,
      session_id: sessionId,
      style,
      summary: stored.text,
      citations: citationsOf(writtenSentences(stored)).map((citation) =>
        isFound(citation.sentence) ? { ...citation, found: true } : citation,
      ),
      made_by: 'host',
      ...(model === undefined ? {} : { model }),
      coverage: {
        ...coverage,
        ...(all.length === 0 ? {} : { sentences_without_messages: all }),
        ...(unknown.length === 0 ? {} : { names_not_in_session: unknown }),
      },
    }
  }
  if (making === undefined) return undefined
  const { messages_read: messagesRead, messages_left_out: leftOut, sentences_dropped: dropped } = making
  const scope = { sessionId, style, coverage: { ...coverage, ...countsOf({ messagesRead, leftOut, dropped }) } }
  if (madeBy === 'gemini' || madeBy === 'openai_compatible')
    return making.max_tokens < maxTokens
      ? undefined
      : writtenReply(scope, { sentences: writtenSentences(stored), madeBy, model })
  const sentences = making.max_tokens === maxTokens ? quotedSentences(stored) : undefined
  return sentences === undefined ? undefined : quotingReply(scope, sentences)
}
