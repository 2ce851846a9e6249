import { fence } from '../model/fence.ts'
import type { SummaryReply } from './summarize.ts'

/** The summary as one reads it, each sentence with the number and the id of its message. */
export function renderSummary(reply: SummaryReply): string {
  const { coverage, citations } = reply
  const read = coverage.messages_read === undefined ? '' : ` (${coverage.messages_read} read)`
  const scope = `messages ${coverage.from_seq} to ${coverage.to_seq} of session ${reply.session_id}${read}`
  if (reply.summary.length === 0) return `Nothing to summarize in ${scope}.`
  const newer = coverage.newer_messages === undefined ? '' : ` ${coverage.newer_messages} newer messages are not in it.`
  const origin =
    reply.made_by === 'host'
      ? `Written${reply.model === undefined ? '' : ` by ${reply.model}`} from ${scope}; made by: host.`
      : `Made of sentences from ${scope}; style ${reply.style}, made by: ${reply.made_by}.`
  const cited = citations.map(({ sentence, seq, message_id: id }) => `\n  [${sentence}] message ${seq}, id ${id}`)
  return `${fence(reply.summary, 'summary')}\n${origin}${newer}${cited.join('')}`
}
