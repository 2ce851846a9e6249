import { renderSearch } from '../search/reply.ts'
import type { RecallReply } from './recall-context.ts'
import { renderFacts } from './render-facts.ts'

/** What was recalled as one reads it: what was learned first, then the messages. */
export function renderRecall(reply: RecallReply): string {
  const facts = renderFacts(reply.facts)
  if (reply.results.length === 0 && facts !== '') return facts
  return facts === '' ? renderSearch(reply) : `${facts}\n\n${renderSearch(reply)}`
}
