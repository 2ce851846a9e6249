import type { SummaryStyle } from '../../model/summary-style.ts'
import { bytesOfTokens } from '../../model/text/tokens.ts'
import { excerpt } from '../../search/excerpt.ts'
import { summarizeExtractive } from '../extracts/extract.ts'
import { renderSummary } from './render-summary.ts'
import type { SummaryReply } from './summary-reply.ts'

export interface SummaryLength {
  readonly format: 'text' | 'json'
  /** Of the whole reply, ids and notice included. */
  readonly maxTokens: number
  readonly style: SummaryStyle
}

function sizeOf(reply: SummaryReply, format: SummaryLength['format']): number {
  return Buffer.byteLength(format === 'text' ? renderSummary(reply) : JSON.stringify(reply, null, 2))
}

interface Quotation {
  readonly session_id?: string
  readonly message_id: string
  readonly seq: number
  readonly sender: string
  readonly text: string
}

/** The sentences of an extracted summary; none of one that a model wrote. */
function quotationsOf({ citations }: SummaryReply): Quotation[] {
  return citations.flatMap(({ text, ...citation }) => (text === undefined ? [] : [{ ...citation, text }]))
}

function withSentences(reply: SummaryReply, citations: readonly Quotation[]): SummaryReply {
  return {
    ...reply,
    summary: citations.map(({ sender, text }) => `${sender}: ${text}`).join('\n'),
    citations: citations.map((citation, index) => ({ ...citation, sentence: index + 1 })),
  }
}

/** The best of the sentences under a smaller budget, chosen as they were chosen from the conversation. */
async function fewerSentences(reply: SummaryReply, style: SummaryLength['style'], maxTokens: number) {
  const quotations = quotationsOf(reply)
  const sessionOf = new Map(quotations.map(({ message_id: id, session_id: session }) => [id, session]))
  const messages = quotations.map(({ message_id: id, seq, sender, text }) => {
    return { id, seq, sender, role: 'user' as const, text }
  })
  const { sentences } = await summarizeExtractive(messages, { style, maxTokens })
  return withSentences(
    reply,
    sentences.map(({ messageId, ...sentence }) => {
      const session = sessionOf.get(messageId)
      return { ...(session === undefined ? {} : { session_id: session }), message_id: messageId, ...sentence }
    }),
  )
}

/** Cuts the only sentence, or what a model wrote, to the length that is left. */
function cutToLength(reply: SummaryReply, format: SummaryLength['format'], bytesMax: number): SummaryReply {
  const [only] = quotationsOf(reply)
  const text = only?.text ?? reply.summary
  const cutTo = (maxCharacters: number): SummaryReply => {
    const cut = excerpt(text, [], { maxCharacters }).text
    const shorter = only === undefined ? { ...reply, summary: cut } : withSentences(reply, [{ ...only, text: cut }])
    return { ...shorter, truncated: true }
  }
  let maxCharacters = text.length
  let cut = reply
  while (maxCharacters > 1 && sizeOf(cut, format) > bytesMax) {
    maxCharacters = Math.floor(maxCharacters * 0.85)
    cut = cutTo(maxCharacters)
  }
  return cut
}

/** What a model wrote, without its last sentences until it fits: the most important come first. */
function fewerWritten(reply: SummaryReply, format: SummaryLength['format'], bytesMax: number): SummaryReply {
  const lines = reply.summary.split('\n')
  let fitting = reply
  for (let count = lines.length - 1; count > 0 && sizeOf(fitting, format) > bytesMax; count--)
    fitting = {
      ...reply,
      summary: lines.slice(0, count).join('\n'),
      truncated: true,
      citations: reply.citations.filter(({ sentence }) => sentence <= count),
      coverage: coverageUpTo(reply, count),
    }
  return fitting
}

/** What is said of the sentences that are left. */
function coverageUpTo({ coverage }: SummaryReply, count: number): SummaryReply['coverage'] {
  const { sentences_without_messages: uncited, names_not_in_session: unknown, ...others } = coverage
  const left = (numbers: readonly number[] = []) => numbers.filter((number) => number <= count)
  return {
    ...others,
    ...(left(uncited).length === 0 ? {} : { sentences_without_messages: left(uncited) }),
    ...(left(unknown).length === 0 ? {} : { names_not_in_session: left(unknown) }),
  }
}

/** Shortens a summary until the whole reply keeps to its budget: fewer sentences first, at last a shorter one. */
export async function fitSummary(reply: SummaryReply, length: SummaryLength): Promise<SummaryReply> {
  const { format, style } = length
  const bytesMax = bytesOfTokens(length.maxTokens)
  if (reply.made_by !== 'extractive') return cutToLength(fewerWritten(reply, format, bytesMax), format, bytesMax)
  let fitting = reply
  let maxTokens = length.maxTokens
  while (fitting.citations.length > 1 && sizeOf(fitting, format) > bytesMax) {
    maxTokens = Math.floor(maxTokens * 0.85)
    const fewer = await fewerSentences(reply, style, maxTokens)
    // No sentence is so short: the first of those that were left is cut instead.
    fitting = fewer.citations.length > 0 ? fewer : withSentences(fitting, quotationsOf(fitting).slice(0, 1))
  }
  return cutToLength(fitting, format, bytesMax)
}
