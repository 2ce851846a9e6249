import { fence } from '../../model/text/fence.ts'
import { renderSearch, searchNotes } from '../../search/reply.ts'
import { renderFacts } from '../learning/render-facts.ts'
import type { NamingMessage } from '../prediction/related-names.ts'
import type { RecallReply } from './recall-reply.ts'

const nothingRecalled = 'Nothing is recalled. search_memory looks for words, list_sessions lists what there is.'

/** What was recalled as one reads it: what was learned first, then the messages, then what else is named near them. */
export function renderRecall(reply: RecallReply): string {
  const [facts, names] = [renderFacts(reply.facts), renderNames(reply.names)]
  const isOnlyBeside = reply.results.length === 0 && `${facts}${names}` !== ''
  const messages = isOnlyBeside ? searchNotes(reply) : renderSearch(reply, nothingRecalled)
  return [facts, messages, names].filter((part) => part !== '').join('\n\n')
}

/** Messages and what they name; '' where there are none. */
function renderNames(messages: readonly NamingMessage[]): string {
  if (messages.length === 0) return ''
  const lines = messages.map(({ session_id: id, seq, names }) => `[${seq}] of ${id}: ${names.join(', ')}`)
  return fence(lines.join('\n'), 'names')
}
