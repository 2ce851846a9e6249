import { fence } from '../../model/fence.ts'
import { explainDegraded } from './degraded.ts'
import type { SummaryReply } from './summary-reply.ts'

function originOf({ made_by: madeBy, model, style }: SummaryReply, scope: string): string {
  const by = model === undefined ? '' : ` by ${model}`
  if (madeBy === 'host') return `Written${by} from ${scope}; made by: host.`
  if (madeBy === 'extractive') return `Made of sentences from ${scope}; style ${style}, made by: ${madeBy}.`
  return `Written${by} from ${scope}; style ${style}, made by: ${madeBy}. The messages of each sentence have its names and numbers.`
}

/** What it is made of. */
function scopeOf({ coverage, session_id: sessionId }: SummaryReply): string {
  const { messages_read: count, sessions, has_more: hasMore } = coverage
  if (sessionId === undefined)
    return `${count} messages of ${sessions} sessions${hasMore === true ? ' (there are more)' : ''}`
  const read = count === undefined ? '' : ` (${count} read)`
  return `messages ${coverage.from_seq} to ${coverage.to_seq} of session ${sessionId}${read}`
}

/** What of the messages is not in it. */
function missingOf({ coverage }: SummaryReply): string {
  const { newer_messages: newer, messages_left_out: leftOut, sentences_dropped: dropped } = coverage
  return [
    ...(newer === undefined ? [] : [` ${newer} newer messages are not in it.`]),
    ...(leftOut === undefined
      ? []
      : [` Messages left out as they hold secrets or read like instructions: ${leftOut}.`]),
    ...(dropped === undefined ? [] : [` Sentences dropped as their messages do not bear them out: ${dropped}.`]),
  ].join('')
}

/** The summary as one reads it, each sentence with the number and the id of its messages. */
export function renderSummary(reply: SummaryReply): string {
  const { citations } = reply
  const scope = scopeOf(reply)
  const why = explainDegraded(reply)
    .map((line) => `\n${line}.`)
    .join('')
  if (reply.summary.length === 0) return `Nothing to summarize in ${scope}.${why}`
  const cited = citations.map(({ sentence, seq, message_id: id, session_id: session }) => {
    const place = session === undefined ? '' : ` of session ${session}`
    return `\n  sentence ${sentence}: message ${seq}${place}, id ${id}`
  })
  return `${fence(reply.summary, 'summary')}\n${originOf(reply, scope)}${missingOf(reply)}${why}${cited.join('')}`
}
