import { contentMeaning, callText, joinTexts } from '../content-text.ts'
import type { EntryDraft } from '../entry-builder.ts'
import { field, idField, textField } from '../fields.ts'
import type { RowMeaning, RowReader } from '../jsonl-document.ts'
import { PiRows, type PiNaming } from '../pi/pi-rows.ts'

/** The wrapper through which OpenClaw's tool search calls other tools; the nested row is the real call. */
const searchWrapper = 'tool_call'
const nestedTool = 'openclaw.nested-tool.v1'
const incognitoKey = /^agent:[^:]+:(?:dashboard|subagent|internal-session-effects):incognito-[^:]+$/u

/** The rows of an OpenClaw session, the same in JSONL v3 and in SQLite: pi's rows, and what OpenClaw added to them. */
export class OpenclawRows implements RowReader {
  readonly #rows: PiRows

  constructor(naming: PiNaming) {
    this.#rows = new PiRows(naming)
  }

  session(): string {
    return this.#rows.session()
  }

  read(value: unknown): RowMeaning {
    const meaning = this.#rows.read(value)
    return { ...meaning, entry: { ...meaning.entry, ...openclawEntry(value, meaning.entry) } }
  }
}

/** Tells whether a session key is one that OpenClaw promises to keep in memory only. */
export function isIncognitoKey(sessionKey: string | undefined): boolean {
  return sessionKey !== undefined && incognitoKey.test(sessionKey.trim().toLowerCase())
}

/** A session's id: session ids are unique only inside an agent. */
export function openclawSessionId(agentId: string, sessionId: string): string {
  return `${agentId}/${sessionId}`
}

/** The id of a fork's parent, which is written as a file path, or as `sqlite:<agent>:<session>:<path>`. */
export function openclawParentId(agentId: string, reference: string): string {
  const [scheme, agent, session] = reference.split(':')
  if (scheme === 'sqlite' && agent !== undefined && session !== undefined) return openclawSessionId(agent, session)
  const name = reference.replaceAll('\\', '/').split('/').at(-1) ?? reference
  return openclawSessionId(agentId, name.replace(/\.jsonl.*$/u, ''))
}

function openclawEntry(value: unknown, entry: EntryDraft): Partial<EntryDraft> {
  if (field(value, 'type') === 'reset')
    return { kind: 'event', contextSwitch: 'reset', text: textField(value, 'reason') }
  if (field(value, 'type') !== 'message') return {}
  const message = field(value, 'message')
  if (field(message, 'customType') === nestedTool) return nestedCall(field(message, 'details'))
  if (entry.role === 'assistant') return { toolsUsed: entry.toolsUsed?.filter((tool) => tool !== searchWrapper) }
  const sender = senderOf(message)
  return sender === undefined ? {} : { sender }
}

function nestedCall(details: unknown): Partial<EntryDraft> {
  const name = textField(details, 'toolName')
  const result = contentMeaning(field(details, 'result', 'content') ?? field(details, 'result')).text
  return {
    kind: 'message',
    role: 'tool',
    sender: name,
    toolsUsed: name === undefined ? [] : [name],
    toolCallId: idField(details, 'toolCallId'),
    text: joinTexts([callText(name ?? 'tool', field(details, 'input')), result]),
  }
}

function senderOf(message: unknown): string | undefined {
  const facts = field(message, '__openclaw')
  return textField(facts, 'senderName') ?? textField(facts, 'senderLabel') ?? textField(facts, 'senderId')
}
