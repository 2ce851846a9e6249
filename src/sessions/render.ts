import { describeFlags } from '../model/messages/message-flags.ts'
import { counted } from '../model/text/counted.ts'
import { fence } from '../model/text/fence.ts'
import { inOneLine } from '../model/text/one-line.ts'
import { type MessageDocument, type SessionDocument } from './document.ts'
import { stateOf } from './message-state.ts'
import type { PrivateView } from './message-view.ts'

/** Names, and how many more there are. */
function listed(names: readonly string[], more = 0): string {
  const all = more === 0 ? names : [...names, `${more} more`]
  return all.map(inOneLine).join(', ') || '–'
}

/** Which session it is, and what is known of it. */
function headOf(document: SessionDocument): readonly string[] {
  const { tokens, external_id: externalId, parent_session_id: parent, tags, anonymized_at: anonymizedAt } = document
  const which = [
    `session ${document.session_id}`,
    ...(externalId === undefined ? [] : [`external id ${inOneLine(externalId)}`]),
    `source ${document.source}`,
    ...(parent === undefined ? [] : [`parent ${parent}`]),
    counted(document.message_count, 'message'),
    `started ${document.created_at}`,
    `last active ${document.last_active_at}`,
    ...(document.closed_at === null ? [] : [`closed ${document.closed_at}`]),
    ...(document.restricted === true ? ['restricted: stored, and not to be used'] : []),
    ...(document.legal_hold === true ? ['on legal hold'] : []),
    ...(anonymizedAt === undefined ? [] : [`personal data replaced ${anonymizedAt}`]),
  ]
  const what = [
    `participants: ${listed(document.participants, document.participants_more)}`,
    `models: ${listed(document.models_used, document.models_used_more)}`,
    ...(tags === undefined ? [] : [`tags: ${listed(tags, document.tags_more)}`]),
    `tokens: ${document.total_tokens} (in ${tokens.input}, out ${tokens.output}, cache read ${tokens.cache_read}, cache write ${tokens.cache_write})`,
    `tool calls: ${document.tool_invocations}`,
    `context switches: ${document.context_switches}`,
  ]
  return [
    `# ${inOneLine(document.title ?? `Session ${document.session_id}`)}`,
    which.join(' · '),
    what.join(' · '),
    ...summaryOf(document),
  ]
}

/** The summary of the session, and how far one may go by it. */
function summaryOf({
  context_summary: summary,
  context_summary_truncated: isCut,
  context_summary_to_seq: toSeq,
  context_summary_without_messages: without,
}: SessionDocument): readonly string[] {
  if (summary === null) return []
  const [cut, upTo, borneOut] = [
    isCut === undefined ? '' : ', cut: more of it with a larger max_tokens',
    toSeq === undefined ? '' : `, up to message ${toSeq}`,
    without === undefined
      ? ''
      : ` (no message is known to bear out its ${/^\d+$/u.test(without) ? 'line' : 'lines'} ${without})`,
  ]
  return [`## Summary${upTo}${cut}${borneOut}`, summary]
}

/** What there is to read in a message of any view: its text, its content as text, or what is wrong with it. */
export function shownText(message: MessageDocument): string {
  if (message.error !== undefined) return `[${message.error}]`
  if (message.text !== undefined) return message.text
  if (message.content_part !== undefined) return message.content_part.text
  return typeof message.content === 'string' ? message.content : JSON.stringify(message.content, null, 2)
}

function renderMessage(message: MessageDocument): string {
  const flags = describeFlags(message.flags)
  const label = [
    message.role,
    `trust: ${String(message.trust ?? message.metadata?.['trust'])}`,
    ...(flags === undefined ? [] : [flags]),
    `id ${message.id}`,
    ...stateOf(message),
  ]
  return `### ${message.seq} · ${inOneLine(message.sender)} (${label.join(', ')}) · ${message.timestamp}\n\n${shownText(message)}`
}

/** A page of a session as Markdown that one reads, inside a fence; behind it how the rest is read, in the same view where that hides something. */
export function renderSession(document: SessionDocument, view?: PrivateView): string {
  const body = fence([...headOf(document), ...document.messages.map(renderMessage)].join('\n\n'), 'session')
  const session = `get_session with session_id "${document.session_id}"${view === undefined ? '' : `, view "${view}"`}`
  return [
    body,
    ...(document.messages.some(({ truncated }) => truncated === true)
      ? [`Messages marked "cut" are whole in ${session}, format "json" and from_seq.`]
      : []),
    ...(document.next_cursor === undefined
      ? []
      : [`More: call ${session}, format "text" and cursor "${document.next_cursor}".`]),
  ].join('\n')
}
