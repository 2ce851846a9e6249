import { mayWrite, requireUsableSession } from '../../capture/session-reference.ts'
import { InputError } from '../../errors.ts'
import type { Caller } from '../../model/access.ts'
import { extractsNow, isEarlierExtract } from '../../model/extractors.ts'
import type { SummaryStyle } from '../../model/summary-style.ts'
import { parseSpan } from '../../model/validate.ts'
import type { TextGenerator } from '../../ports/text-generator.ts'
import type { ReadDependencies } from '../../sessions/session-page.ts'
import { readMark, type ReadingMark } from '../../store/erasure/keep-from-erasure.ts'
import type { SessionKey } from '../../store/messages.ts'
import { currentSummary, type Summary } from '../../store/summaries/summaries.ts'
import type { WeighedStretch } from '../../store/summaries/weigh-messages.ts'
import { keepsNotes, summarizeByModel } from './by-model/summarize-by-model.ts'
import { storedSentences } from './by-model/take-notes.ts'
import { withinTime } from './by-model/within-time.ts'
import { keepSummary } from './keep-summary.ts'
import { lackOf } from './render-summary.ts'
import { extractSession, extractStretch } from './segments/extract-session.ts'
import { lacksAsBefore, makingWithout } from './still-unreadable.ts'
import { countsOf, quotingReply, storedReply, writtenReply, type SummaryReply } from './summary-reply.ts'

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
  /**
   * Whether a summary of the whole session is stored as its `context_summary`, and a model may be asked, which may cost money:
   * false for a caller that may not write. Of a session that the caller may only read nothing is stored either way.
   */
  readonly keep: boolean
  /** What lacks more messages than so many, as they could not be read, is not stored. */
  readonly lackingMax?: number | undefined
}

export interface SummarizeDependencies extends ReadDependencies {
  /** The model that writes summaries; undefined where they are extracted. */
  readonly writer?: TextGenerator | undefined
  /** Ends the waiting for a model early. */
  readonly signal?: AbortSignal | undefined
}

/** What is to be summarised, as it was found. */
interface Task {
  readonly key: SessionKey
  readonly stretch: WeighedStretch
  readonly lastSeq: number
  /** Whether it is all of the session. */
  readonly isWhole: boolean
  /** Of when it was found, before its messages are read. */
  readonly read: ReadingMark
  /** What was asked for, with `keep` as the caller's role in the session allows it. */
  readonly input: SummarizeInput
}

/**
 * Summarises a session, or a stretch of it: by a model where there is one, otherwise, or where that fails, with its own sentences
 * (`extract.ts`). Of a whole session a stored summary of the same style that is still current is
 * returned: what the calling model wrote first (brief, or to hand over), then one that is long enough, unless an earlier version extracted it. A newly made one is kept and shown
 * as the session's `context_summary`. The source never changes.
 */
export async function summarize(
  dependencies: SummarizeDependencies,
  caller: Caller,
  input: SummarizeInput,
): Promise<SummaryReply> {
  const task = await taskOf(dependencies, caller, input)
  const { writer } = dependencies
  const known = input.refresh ? undefined : await stored(dependencies, task, writer === undefined || !task.input.keep)
  if (known !== undefined) return known
  if (writer === undefined) return await extracted(dependencies, task)
  if (!task.input.keep)
    return withReason(await extracted(dependencies, task), `${writer.provider} is not asked by who may only read`)
  const made = await byModel(dependencies, task, writer)
  if (made !== undefined && typeof made !== 'string') return made
  const instead = (await stored(dependencies, task, true)) ?? (await extracted(dependencies, task))
  return made === undefined ? instead : withReason(instead, made)
}

const withReason = (reply: SummaryReply, reason: string): SummaryReply => ({
  ...reply,
  degraded: [...(reply.degraded ?? []), reason],
})

async function taskOf({ database }: ReadDependencies, caller: Caller, input: SummarizeInput): Promise<Task> {
  const session = await requireUsableSession(database, caller, input.sessionId)
  const { since, until } = parseSpan(input)
  const { id: sessionId, lastSeq } = session
  const fromSeq = input.fromSeq ?? 1
  const toSeq = Math.min(input.toSeq ?? lastSeq, lastSeq)
  if (input.fromSeq !== undefined && input.toSeq !== undefined && input.fromSeq > input.toSeq)
    throw new InputError(
      `Cannot summarize messages ${input.fromSeq} to ${input.toSeq} as the second is before the first`,
      { remedy: 'Give as from_seq the smaller of the two' },
    )
  if (fromSeq > toSeq && lastSeq > 0) {
    throw new InputError(
      `Cannot summarize messages ${fromSeq} to ${toSeq} of session "${sessionId}" as it has messages 1 to ${lastSeq}`,
      {
        remedy: 'Give from_seq and to_seq inside the session, or leave them out',
      },
    )
  }
  const key = { tenantId: caller.tenantId, sessionId }
  const isWhole = fromSeq === 1 && toSeq === lastSeq && since === undefined && until === undefined
  const read = await database.run((sql) => readMark(sql, key))
  const keep = input.keep && (await mayWrite(database, caller, sessionId))
  return { key, stretch: { fromSeq, toSeq, since, until }, lastSeq, isWhole, read, input: { ...input, keep } }
}

/** The reply with a summary that is there already; undefined where none would do. */
async function stored(
  { database, archive }: ReadDependencies,
  { key, lastSeq, isWhole, input }: Task,
  isExtractedEnough: boolean,
): Promise<SummaryReply | undefined> {
  if (!isWhole) return undefined
  const summary = await currentSummary(database, key, { style: input.style, lastSeq, isExtractedEnough })
  if (summary !== undefined && isOutdated(summary)) return undefined
  const reply = summary && storedReply(summary, key.sessionId, input.maxTokens)
  const making = summary?.making
  if (reply === undefined || !(await lacksAsBefore({ database, archive }, key, making ?? {}))) return undefined
  const lack = lackOf(making?.messages_unreadable ?? 0)
  return lack.length === 0 ? reply : { ...reply, degraded: lack }
}

/** Whether an earlier version chose its sentences. */
function isOutdated({ madeBy, chosenBy }: Summary): boolean {
  return madeBy === 'extractive' && isEarlierExtract(chosenBy)
}

/** The reply with what a model wrote, or why there is none; undefined where there is nothing to write about. */
async function byModel(
  { signal: ended, ...dependencies }: SummarizeDependencies,
  { key, stretch, lastSeq, isWhole, read, input }: Task,
  generator: TextGenerator,
): Promise<SummaryReply | string | undefined> {
  const { style, maxTokens } = input
  const timed = { provider: generator.provider, ended, keepsNotes: keepsNotes(stretch) }
  const made = await withinTime(timed, (signal) =>
    summarizeByModel({ ...dependencies, generator }, key, { ...stretch, style, maxTokens, signal, read }),
  )
  if (typeof made === 'string') return made
  const { sentences, messagesRead, leftOut, unreadable, dropped } = made
  if (messagesRead + leftOut === 0) return undefined
  if (sentences.length === 0) return nothingOf(generator, dropped)
  const madeBy = generator.provider === 'gemini' ? 'gemini' : 'openai_compatible'
  const { model } = generator
  if (isWhole)
    await keepSummary(dependencies.database, key, {
      style,
      lastSeq,
      sentences: storedSentences(sentences),
      madeBy,
      model,
      making: {
        max_tokens: maxTokens,
        messages_read: messagesRead,
        messages_left_out: leftOut,
        sentences_dropped: dropped,
        ...makingWithout(unreadable),
      },
      read,
    })
  const coverage = coverageOf({ stretch, lastSeq }, made)
  const lack = lackOf(unreadable.length)
  return {
    ...writtenReply({ sessionId: key.sessionId, style, coverage }, { sentences, madeBy, model }),
    ...(lack.length === 0 ? {} : { degraded: lack }),
  }
}

function nothingOf({ provider }: TextGenerator, dropped: number): string {
  return dropped === 0
    ? `${provider} wrote nothing`
    : `${provider} wrote nothing that the messages bear out: ${dropped} sentences were dropped`
}

function coverageOf(
  { stretch, lastSeq }: Pick<Task, 'stretch' | 'lastSeq'>,
  read: Parameters<typeof countsOf>[0],
): SummaryReply['coverage'] {
  const newer = lastSeq - stretch.toSeq
  return {
    from_seq: stretch.fromSeq,
    to_seq: stretch.toSeq,
    ...countsOf(read),
    ...(newer > 0 ? { newer_messages: newer } : {}),
  }
}

/** The reply with sentences of the messages. */
async function extracted(dependencies: ReadDependencies, task: Task): Promise<SummaryReply> {
  const { key, stretch, lastSeq, isWhole, read, input } = task
  const { style, maxTokens, keep } = input
  const { toSeq } = stretch
  const { sentences, messagesRead, leftOut, unreadable } = await (keepsNotes(stretch) && lastSeq > 0
    ? extractSession(dependencies, key, { toSeq, isWhole, style, maxTokens, keep, erasures: read.erasures })
    : extractStretch(dependencies, key, { stretch, style, maxTokens }))
  // One of another length stays: calls of two lengths would otherwise store a summary each time.
  const isFirst = keep && isWhole && sentences.length > 0 && unreadable <= (input.lackingMax ?? unreadable)
  const query = { style, lastSeq, isExtractedEnough: true }
  const known = isFirst && !input.refresh ? await currentSummary(dependencies.database, key, query) : undefined
  if (isFirst && (known === undefined || isOutdated(known) || (known.making?.messages_unreadable ?? 0) > 0))
    await keepSummary(dependencies.database, key, {
      style,
      lastSeq,
      sentences: sentences.map(({ sender, seq, text, messageId }) => ({
        text: `${sender}: ${text}`,
        message_ids: [messageId],
        sender,
        seq,
      })),
      madeBy: 'extractive',
      model: extractsNow,
      making: {
        max_tokens: maxTokens,
        messages_read: messagesRead,
        messages_left_out: leftOut,
        ...(unreadable === 0 ? {} : { messages_unreadable: unreadable }),
      },
      read,
    })
  const coverage = coverageOf({ stretch, lastSeq }, { messagesRead, leftOut })
  const lack = lackOf(unreadable)
  return {
    ...quotingReply({ sessionId: key.sessionId, style, coverage }, sentences),
    ...(lack.length === 0 ? {} : { degraded: lack }),
  }
}
