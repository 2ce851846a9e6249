import type { MessageRow } from '../store/messages.ts'

/** What was saved before this is history: no model is sent all of it by itself. */
const newMs = 86_400_000

export function isNew({ savedAt }: Pick<MessageRow, 'savedAt'>): boolean {
  return Date.now() - Date.parse(savedAt) < newMs
}
