import { counted } from '../model/counted.ts'
import { fence } from '../model/fence.ts'
import { describeFlags } from '../model/message-flags.ts'
import { inOneLine } from '../model/one-line.ts'
import { shownText, type SessionDocument } from './document.ts'
import { stateOf } from './message-state.ts'

/** Names, and how many more there are. */
function listed(names: readonly string[], more = 0): string {
  const all = more === 0 ? names : [...names, `${more} more`]
  return all.map(inOneLine).join(', ') || '–'
}

/** A page of a session as Markdown that one reads, inside a fence. */
export function renderSession(document: SessionDocument): string {
  const { tokens } = document
  const head = [
    `# ${inOneLine(document.title ?? `Session ${document.session_id}`)}`,
    `session ${document.session_id} · source ${document.source} · ${counted(document.message_count, 'message')} · started ${document.created_at} · last active ${document.last_active_at}${document.closed_at === null ? '' : ` · closed ${document.closed_at}`}${document.restricted === true ? ' · restricted: stored, and not to be used' : ''}`,
    `participants: ${listed(document.participants, document.participants_more)} · models: ${listed(document.models_used, document.models_used_more)} · tokens: ${document.total_tokens} (in ${tokens.input}, out ${tokens.output}, cache read ${tokens.cache_read}, cache write ${tokens.cache_write}) · tool calls: ${document.tool_invocations} · context switches: ${document.context_switches}`,
  ]
  const messages = document.messages.map((message) => {
    const trust = message.trust ?? message.metadata?.['trust']
    const flags = describeFlags(message.flags)
    return `### ${message.seq} · ${inOneLine(message.sender)} (${message.role}, trust: ${String(trust)}${flags === undefined ? '' : `, ${flags}`}, id ${message.id}${stateOf(
      message,
    )
      .map((state) => `, ${state}`)
      .join('')}) · ${message.timestamp}\n\n${shownText(message)}`
  })
  const body = fence([...head, ...messages].join('\n\n'), 'session')
  return document.next_cursor === undefined
    ? body
    : `${body}\nMore: call get_session with session_id "${document.session_id}" and cursor "${document.next_cursor}".`
}
