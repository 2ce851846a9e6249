import { contentMeaning, joinTexts } from '../content-text.ts'
import type { EntryDraft } from '../entry-builder.ts'
import { field, firstText, textField } from '../fields.ts'

/** Events whose text is nowhere else in a rollout. */
const unique = new Set([
  'error',
  'warning',
  'stream_error',
  'agent_reasoning_raw_content',
  'item_completed',
  'thread_name_updated',
])

/**
 * An `event_msg`. Most of them show on the screen what `response_item` records as well, so their text is left out and
 * search finds it once. Where the file has no `response_item` (`eventsOnly`) they are the conversation.
 */
export function codexEvent(payload: unknown, eventsOnly: boolean): EntryDraft {
  const type = textField(payload, 'type')
  if (eventsOnly && type === 'user_message') return { kind: 'message', role: 'user', text: eventText(payload) }
  if (eventsOnly && (type === 'agent_message' || type === 'agent_reasoning')) {
    return { kind: 'message', role: 'assistant', text: eventText(payload) }
  }
  if (type === 'thread_rolled_back') return { kind: 'event', contextSwitch: 'branch' }
  return { kind: 'event', text: type !== undefined && unique.has(type) ? eventText(payload) : undefined }
}

function eventText(payload: unknown): string {
  const said = firstText(payload, ['message', 'text', 'thread_name']) ?? textField(payload, 'error', 'message')
  return joinTexts([
    said === undefined ? undefined : contentMeaning(said).text,
    contentMeaning(field(payload, 'item', 'text')).text,
  ])
}
