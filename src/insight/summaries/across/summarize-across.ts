import { InputError } from '../../../errors.ts'
import type { Caller } from '../../../model/access.ts'
import type { SummaryStyle } from '../../../model/summary-style.ts'
import { recordedDataNotice } from '../../../model/text/fence.ts'
import { parseSpan } from '../../../model/validate.ts'
import type { TextGenerator } from '../../../ports/text-generator.ts'
import type { SearchDependencies } from '../../../search/search.ts'
import { Extract } from '../../extracts/extract.ts'
import { Numbers, showTurns } from '../by-model/show-material.ts'
import { withinTime } from '../by-model/within-time.ts'
import { writeSentences, type WrittenSentence } from '../by-model/write-sentences.ts'
import { acrossTask } from '../by-model/writing-tasks.ts'
import { countsOf, type SummaryReply } from '../summary-reply.ts'
import { findByTime, type FoundAcross } from './find-across.ts'
import { findByQuery, findSaid } from './find-by-query.ts'

export interface AcrossInput {
  readonly query?: string | undefined
  readonly since?: string | number | undefined
  readonly until?: string | number | undefined
  readonly style: SummaryStyle
  readonly maxTokens: number
  /** Whether a model may be asked, and what stands for the messages of a session is stored with it. */
  readonly keep: boolean
}

export interface AcrossDependencies extends SearchDependencies {
  readonly writer?: TextGenerator | undefined
  readonly signal?: AbortSignal | undefined
}

/** Summarises what the sessions that the caller may read say about a query, or said in a time. It is not stored itself: what one may read, another may not. */
export async function summarizeAcross(
  dependencies: AcrossDependencies,
  caller: Caller,
  input: AcrossInput,
): Promise<SummaryReply> {
  const { since, until } = parseSpan(input)
  const { query } = input
  if (query === undefined && since === undefined && until === undefined)
    throw new InputError('Cannot summarize as it is not said what: there is no session, no query and no time', {
      remedy: 'Give session_id, or query, or since and until',
    })
  const { writer } = dependencies
  // A model knows a decision also where no word says that it is one.
  const style = writer !== undefined && input.keep && input.style === 'decisions' ? 'detailed' : input.style
  const find = writer !== undefined && input.keep ? findByQuery : findSaid
  const found = await (query === undefined
    ? findByTime(dependencies, caller, { since, until, style, keep: input.keep })
    : find(dependencies, caller, { query, since, until }))
  if (writer === undefined || found.sessions.length === 0) return extracted(found, input, [])
  if (!input.keep) return extracted(found, input, [`${writer.provider} is not asked by who may only read`])
  const made = await byModel(dependencies, caller, { found, input, generator: writer })
  return typeof made === 'string' ? extracted(found, input, [made]) : made
}

async function byModel(
  { signal: ended, ...dependencies }: AcrossDependencies,
  { tenantId }: Caller,
  asked: { readonly found: FoundAcross; readonly input: AcrossInput; readonly generator: TextGenerator },
): Promise<SummaryReply | string> {
  const { found, input, generator } = asked
  const numbers = new Numbers()
  const parts = found.sessions.map(
    ({ sessionId, turns }, at) => `Session ${at + 1}:\n\n${showTurns(turns, sessionId, numbers)}`,
  )
  const about = input.query === undefined ? [] : [`Asked about: ${input.query.replaceAll(/\s+/gu, ' ')}`]
  const material = { text: [...about, ...parts].join('\n\n'), places: numbers.places }
  const made = await withinTime({ provider: generator.provider, ended, keepsNotes: false }, (signal) =>
    writeSentences({ ...dependencies, generator }, material, {
      ...acrossTask(input.style, input.maxTokens, input.query !== undefined),
      tenantId,
      signal,
    }),
  )
  if (typeof made === 'string') return made
  const { sentences, dropped } = made
  if (sentences.length === 0)
    return `${generator.provider} wrote nothing that the messages bear out: ${dropped} sentences were dropped`
  return {
    ...replyOf(found, input, dropped),
    summary: sentences.map(({ text }) => text).join('\n'),
    citations: citationsOf(sentences),
    made_by: generator.provider === 'gemini' ? 'gemini' : 'openai_compatible',
    model: generator.model,
  }
}

function citationsOf(sentences: readonly WrittenSentence[]): SummaryReply['citations'] {
  return sentences.flatMap(({ sources }, index) =>
    sources.map(({ sessionId, messageId, seq, sender }) => ({
      sentence: index + 1,
      session_id: sessionId,
      message_id: messageId,
      seq,
      sender,
    })),
  )
}

function extracted(found: FoundAcross, input: AcrossInput, reasons: readonly string[]): SummaryReply {
  const sessionOf = new Map(found.sessions.flatMap(({ sessionId, turns }) => turns.map(({ id }) => [id, sessionId])))
  const { style, maxTokens } = input
  const extract = new Extract({ style, maxTokens })
  for (const candidate of found.quotable) extract.add(candidate)
  const sentences = extract.sentences()
  const reply = replyOf(found, input, 0)
  return {
    ...reply,
    ...(sentences.length === 0 && input.query !== undefined ? { no_answer: true } : {}),
    summary: sentences.map(({ sender, text }) => `${sender}: ${text}`).join('\n'),
    citations: sentences.map(({ messageId, seq, sender, text }, index) => ({
      sentence: index + 1,
      session_id: sessionOf.get(messageId) ?? '',
      message_id: messageId,
      seq,
      sender,
      text,
    })),
    made_by: 'extractive',
    ...(reasons.length + found.degraded.length === 0 ? {} : { degraded: [...found.degraded, ...reasons] }),
  }
}

/** What a reply says whichever way its sentences were made. */
function replyOf(found: FoundAcross, { style }: AcrossInput, dropped: number) {
  const { sessions, messagesRead, leftOut, hasMore, degraded } = found
  return {
    notice: recordedDataNotice,
    style,
    coverage: {
      sessions: sessions.length,
      ...(hasMore ? { has_more: true } : {}),
      ...countsOf({ messagesRead, leftOut, dropped }),
    },
    ...(degraded.length === 0 ? {} : { degraded }),
  }
}
