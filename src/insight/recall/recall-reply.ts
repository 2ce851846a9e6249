import type { Caller } from '../../model/access.ts'
import { noteHits } from '../../search/note-hits.ts'
import type { SearchReply } from '../../search/reply.ts'
import type { FactDocument } from '../learning/list-facts.ts'
import type { NamingMessage } from '../prediction/related-names.ts'

/** How much is wanted, and in which form. */
export interface RecallOptions {
  readonly maxTokens: number
  readonly format: 'text' | 'json'
}

/** What was said before, and what was learned of it. */
export interface RecallReply extends SearchReply {
  readonly facts: readonly FactDocument[]
  /** What else is named in what was found, beyond the messages that are shown. */
  readonly names: readonly NamingMessage[]
}

/** A message by its place. */
export interface Place {
  readonly sessionId: string
  readonly seq: number
}

/** Every message that a reply shows something of. */
export function placesOf({ results, facts, names }: RecallReply): Place[] {
  return [
    ...results.flatMap(({ session_id: sessionId, messages }) => messages.map(({ seq }) => ({ sessionId, seq }))),
    ...facts.flatMap(({ sources }) => sources.map(({ session_id: sessionId, seq }) => ({ sessionId, seq }))),
    ...names.map(({ session_id: sessionId, seq }) => ({ sessionId, seq })),
  ]
}

/** Notes for the audit log which messages a reply has shown something of. */
export function noteRecalled(caller: Caller, reply: RecallReply): void {
  noteHits(caller, reply)
  for (const { sessionId, seq } of placesOf({ ...reply, results: [] })) caller.call?.show(sessionId, [seq])
}
