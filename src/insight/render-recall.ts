import { fence } from '../model/fence.ts'
import { renderSearch } from '../search/reply.ts'
import type { RecallReply } from './recall-context.ts'

/** What was recalled as one reads it: what was learned first, each with its source, then the messages. */
export function renderRecall(reply: RecallReply): string {
  const messages = renderSearch(reply)
  if (reply.facts.length === 0) return messages
  const lines = reply.facts.map(({ kind, text, said_by: saidBy, since, sources: [source] }) => {
    const where = source === undefined ? '' : `, message ${source.message_id} ([${source.seq}] of ${source.session_id})`
    return `${kind}: ${text} — ${saidBy}${since === null ? '' : `, ${since.slice(0, 10)}`}${where}`
  })
  return `${fence(lines.join('\n'), 'facts')}\n\n${messages}`
}
