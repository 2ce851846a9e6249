import { z } from 'zod'

import { renderSummary } from '../insight/summaries/render-summary.ts'
import { limits } from '../limits.ts'
import type { Caller } from '../model/access.ts'
import { renderSearch } from '../search/reply.ts'
import { renderSession } from '../sessions/render.ts'
import type { Verbatim } from '../verbatim.ts'

/** A prompt as a user picks it in a client. The first argument of each is completed where it is a session id. */
export interface PromptDefinition {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly argument: { readonly name: 'topic' | 'session_id'; readonly description: string }
  readonly write: (verbatim: Verbatim, caller: Caller, value: string) => Promise<string>
}

/** A conversation is continued from its last turns; this many are shown, as far as there is room. */
const lastTurns = 30

async function continueText(verbatim: Verbatim, caller: Caller, sessionId: string): Promise<string> {
  const summary = await verbatim.summarize(caller, {
    sessionId,
    style: 'handoff',
    maxTokens: 800,
    refresh: false,
    keep: false,
  })
  const tail = await verbatim.getSession(caller, {
    sessionId,
    last: lastTurns,
    limit: lastTurns,
    maxTokens: 4_000,
    view: 'compact',
  })
  return `Continue the conversation of session ${tail.session_id}. What it was about:\n\n${renderSummary(summary)}\n\nIts last turns:\n\n${renderSession({ ...tail, context_summary: null })}\n\nGo on from there. Save new messages with save_message and session_id "${tail.session_id}".`
}

async function handoffText(verbatim: Verbatim, caller: Caller, sessionId: string): Promise<string> {
  const summary = await verbatim.summarize(caller, {
    sessionId,
    style: 'handoff',
    maxTokens: 3_000,
    refresh: false,
    keep: false,
  })
  return `Write a handoff of session ${summary.session_id} for whoever continues it: state, decisions, open questions, next steps, files and errors named. A sentence a line, each with the numbers of the messages that it comes from in brackets, as [12] or [3, 5]: they are checked. Material:\n\n${renderSummary(summary)}\n\nRead more with get_session where it is needed, then store the handoff with update_session and its argument "summary".`
}

async function recallText(verbatim: Verbatim, caller: Caller, topic: string): Promise<string> {
  const found = await verbatim.search(caller, {
    query: topic,
    limit: limits.searchHitsDefault,
    maxTokens: 6_000,
    mode: 'hybrid',
    context: 1,
    format: 'text',
  })
  return `Tell me what we know about "${topic}" from earlier conversations, with the session and message ids it comes from. Found so far:\n\n${renderSearch(found)}`
}

export const prompts: readonly PromptDefinition[] = [
  {
    name: 'recall',
    title: 'Recall a topic',
    description: 'What earlier conversations say about a topic',
    argument: { name: 'topic', description: 'Words or a question' },
    write: recallText,
  },
  {
    name: 'continue_session',
    title: 'Continue a session',
    description: 'Pick up an earlier conversation where it ended',
    argument: { name: 'session_id', description: 'The session to continue' },
    write: continueText,
  },
  {
    name: 'handoff',
    title: 'Write a handoff',
    description: 'Hand a conversation over to someone else',
    argument: { name: 'session_id', description: 'The session to hand over' },
    write: handoffText,
  },
]

/** The value of a prompt's one argument. Throws a ZodError that names it where it is missing. */
export function promptArgument(prompt: PromptDefinition, args: unknown): string {
  const schema = z.object({ [prompt.argument.name]: z.string().min(1).max(limits.queryCharactersMax) })
  return schema.parse(args ?? {})[prompt.argument.name] ?? ''
}
