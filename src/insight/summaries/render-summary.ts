import { agreed, counted } from '../../model/text/counted.ts'
import { fence } from '../../model/text/fence.ts'
import { inOneLine } from '../../model/text/one-line.ts'
import { asStretches } from '../../store/summaries/sentences-without-messages.ts'
import type { SummaryReply } from './summary-reply.ts'

function originOf({ made_by: madeBy, model, style }: SummaryReply, scope: string): string {
  // What called itself by that name may have said anything: it stands inside the fence.
  if (madeBy === 'host') return `Written from ${scope}; made by: host.`
  const by = model === undefined ? '' : ` by ${model}`
  if (madeBy === 'extractive') return `Made of sentences from ${scope}; style ${style}, made by: ${madeBy}.`
  return `Written${by} from ${scope}; style ${style}, made by: ${madeBy}. The messages of each sentence have its names and numbers.`
}

/** What it is made of. */
function scopeOf({ coverage, session_id: sessionId }: SummaryReply): string {
  const { messages_read: count, sessions, has_more: hasMore } = coverage
  if (sessionId === undefined)
    return `${counted(count ?? 0, 'message')} of ${counted(sessions ?? 0, 'session')}${hasMore === true ? ' (there are more)' : ''}`
  const read = count === undefined ? '' : ` (${count} read)`
  return `messages ${coverage.from_seq} to ${coverage.to_seq} of session ${sessionId}${read}`
}

/** What of the messages is not in it. */
function missingOf({ coverage }: SummaryReply): string {
  const { newer_messages: newer, messages_left_out: leftOut, sentences_dropped: dropped } = coverage
  const { sentences_without_messages: uncited, names_not_in_session: unknown } = coverage
  return [
    ...(newer === undefined ? [] : [` ${counted(newer, 'newer message')} ${agreed(newer, 'is', 'are')} not in it.`]),
    ...(leftOut === undefined
      ? []
      : [` Messages left out as they hold secrets or read like instructions: ${leftOut}.`]),
    ...(uncited === undefined ? [] : [` No message is known that bears out sentence ${asStretches(uncited)}.`]),
    ...(unknown === undefined
      ? []
      : [` Names or numbers of sentence ${asStretches(unknown)} stood nowhere in the session.`]),
    ...(dropped === undefined ? [] : [` Sentences dropped as their messages do not bear them out: ${dropped}.`]),
  ].join('')
}

/** What an empty summary says. */
export function nothingOf({ style, no_answer: noAnswer }: Pick<SummaryReply, 'style' | 'no_answer'>): string {
  if (noAnswer === true)
    return `No ${style === 'decisions' ? 'decision' : 'sentence'} found that has enough of the words of the query`
  return style === 'decisions' ? 'No decisions found' : 'Nothing to summarize'
}

/** What else there is to do where a query has no answer. */
export function hintOf({ no_answer: noAnswer }: Pick<SummaryReply, 'no_answer'>): string {
  return noAnswer === true ? ' A search for it shows what comes near.' : ''
}

/** The summary as one reads it, each sentence with the number and the id of its messages. */
export function renderSummary(reply: SummaryReply): string {
  const { citations } = reply
  const scope = scopeOf(reply)
  const why = explainDegraded(reply)
    .map((line) => `\n${line}.`)
    .join('')
  if (reply.summary.length === 0) return `${nothingOf(reply)} in ${scope}.${hintOf(reply)}${missingOf(reply)}${why}`
  const cited = citations.map(({ sentence, seq, message_id: id, session_id: session, found }) => {
    const place = session === undefined ? '' : ` of session ${session}`
    return `\n  sentence ${sentence}: message ${seq}${place}, id ${id}${found === true ? ' (found for it)' : ''}`
  })
  const { model, made_by: madeBy } = reply
  const writer = madeBy === 'host' && model !== undefined ? `\n(written by ${inOneLine(model)})` : ''
  return `${fence(`${reply.summary}${writer}`, 'summary')}\n${originOf(reply, scope)}${missingOf(reply)}${why}${cited.join('')}`
}

const lacking = 'messages that cannot be read: '

/** What `degraded` says of messages that could not be read. */
export function lackOf(unreadable: number): readonly string[] {
  if (unreadable === 0) return []
  return [`${lacking}${unreadable}. Run "verbatim verify" for which they are and why`]
}

/** What `degraded` says, for people, a reason a line. */
export function explainDegraded({
  degraded = [],
  made_by: madeBy,
}: Pick<SummaryReply, 'degraded' | 'made_by'>): readonly string[] {
  const instead = madeBy === 'extractive' ? 'Not by a model' : 'Not made anew'
  return degraded.map((reason) => (reason.startsWith(lacking) ? `It lacks ${reason}` : `${instead}: ${reason}`))
}
