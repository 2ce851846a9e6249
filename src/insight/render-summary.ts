import { fence } from '../model/fence.ts'
import type { SummaryReply } from './summarize.ts'

/** The summary as one reads it, each sentence with the number and the id of its message. */
export function renderSummary(reply: SummaryReply): string {
  const { coverage } = reply
  const scope = `messages ${coverage.from_seq} to ${coverage.to_seq} of session ${reply.session_id} (${coverage.messages_read} read)`
  const lines = reply.summary.length === 0 ? [] : reply.summary.split('\n')
  if (lines.length === 0) return `Nothing to summarize in ${scope}.`
  const cited = reply.citations.map(({ sentence, seq, message_id: id }) => `  [${sentence}] message ${seq}, id ${id}`)
  return `${fence(reply.summary, 'summary')}\nMade of sentences from ${scope}; style ${reply.style}, made by: ${reply.made_by}.\n${cited.join('\n')}`
}
