import { isJsonObject } from '../../../model/json/json.ts'
import { decodePayload } from '../../../model/messages/payload.ts'
import { readableText } from '../../../sessions/document.ts'
import type { MessageRow } from '../../../store/messages.ts'

/** A stretch of a text, as UTF-16 offsets [start, end). */
export interface TextStretch {
  readonly start: number
  readonly end: number
}

/** What a message says in its sender's own words, within what there is to read of it. */
export interface Asserted {
  readonly text: string
  readonly stretches: readonly TextStretch[]
}

/** All that its sender says in a message, also what they have put in from elsewhere. */
export function saidIn({ text, stretches }: Asserted): string {
  return stretches.map(({ start, end }) => text.slice(start, end)).join('\n\n')
}

/** The members in which formats keep what was said, and no others: not thinking, calls, results or notices. */
const saidInMembers = ['message', 'payload', 'content', 'parts', 'text'] as const
/** Blocks and rows of what was only thought, by the name of their type, and all that nobody said. */
const thinkingType = /think|thought|reason|redact/iu
const unsaidType =
  /^code$|tool|function|call|execut|output_?item|image|audio|video|document|file|resource|snapshot|summary|system|meta|notice|progress/iu
/** Blocks and rows of what is called, and code that is run. */
const callType = /^code$|tool[-_]?(?:use|call)|function[-_]?call/iu
/** Members in which formats keep thinking beside what was said. */
const thinkingMembers = ['thoughts', 'thinking', 'reasoning', 'reasoning_content'] as const
/** Marks of rows that an agent wrote for itself under the name of the user: notices, compactions, the prompts of subagents. */
const unsaidMarks = ['isMeta', 'isCompactSummary', 'isSidechain', 'isSynthetic', 'thought', 'is_error'] as const
const depthMax = 12
const wordsMin = 4

function isUnsaid(node: Readonly<Record<string, unknown>>): boolean {
  const type = node['type'] ?? node['content_type']
  if (typeof type === 'string' && type !== 'output_text' && (thinkingType.test(type) || unsaidType.test(type)))
    return true
  const { role } = node
  if (typeof role === 'string' && !['user', 'assistant', 'model', 'human'].includes(role)) return true
  return unsaidMarks.some((mark) => node[mark] === true)
}

/** Whether a message has what its sender thought or called and did not say, or blocks of which none has words. */
function hasUnsaid(node: unknown, depth = 0): boolean {
  if (depth > depthMax || typeof node !== 'object' || node === null) return false
  if (isJsonObject(node)) {
    const type = node['type'] ?? node['content_type']
    if (node['thought'] === true || (typeof type === 'string' && (thinkingType.test(type) || callType.test(type))))
      return true
    const isOfModel = typeof node['role'] === 'string'
    if (thinkingMembers.some((name) => isFilled(node[name], isOfModel)) || isWordless(node['content'])) return true
  }
  return Object.values(node).some((value) => hasUnsaid(value, depth + 1))
}

/** Whether a member of thinking has any: of text only in what is known for a message of a model. */
function isFilled(value: unknown, isOfModel: boolean): boolean {
  if (typeof value === 'string') return isOfModel && value.trim() !== ''
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0
}

/** Whether content is blocks of some kinds, and none of them has text. */
function isWordless(content: unknown): boolean {
  const isBlock = (block: unknown) => isJsonObject(block) && typeof block['type'] === 'string' && !hasText(block)
  return Array.isArray(content) && content.length > 0 && content.every(isBlock)
}

function hasText(node: unknown, depth = 0): boolean {
  if (depth > depthMax || typeof node !== 'object' || node === null) return false
  if (isJsonObject(node) && saidInMembers.some((name) => typeof node[name] === 'string')) return true
  return Object.values(node).some((value) => hasText(value, depth + 1))
}

/** What a user or an assistant says in a message, without thinking and calls; undefined where that cannot be told apart. */
export function spokenIn(message: MessageRow, payload: Uint8Array): string | undefined {
  const asserted = assertedIn(message, payload)
  if (asserted.stretches.length > 0) return saidIn(asserted)
  const decoded = decodePayload(payload, message.payloadMediaType)
  return decoded.encoding !== 'base64' && hasUnsaid(decoded.value) ? '' : undefined
}

function collect(node: unknown, depth: number, said: string[]): void {
  if (typeof node === 'string') said.push(node)
  else if (depth > depthMax) return
  else if (Array.isArray(node)) for (const item of node) collect(item, depth + 1, said)
  else if (isJsonObject(node) && !isUnsaid(node))
    for (const name of saidInMembers) if (node[name] !== undefined) collect(node[name], depth + 1, said)
}

/**
 * What a user or an assistant says in a message, apart from tool calls and their output, thinking, and what an agent adds
 * by itself. Empty where that cannot be told apart.
 */
export function assertedIn(message: MessageRow, payload: Uint8Array): Asserted {
  return assertedOf(readableText(message, payload), { payload, mediaType: message.payloadMediaType })
}

/** The same of a message that is not stored. */
export function assertedOf(
  text: string,
  { payload, mediaType }: { readonly payload: Uint8Array; readonly mediaType: string },
): Asserted {
  const decoded = decodePayload(payload, mediaType)
  const said: string[] = []
  if (decoded.encoding !== 'base64') collect(decoded.value, 0, said)
  const stretches: TextStretch[] = []
  let from = 0
  for (const part of said.map((one) => one.trim()).filter((one) => one.length >= wordsMin)) {
    let start = text.indexOf(part, from)
    if (start === -1) continue
    const end = start + part.length
    // By its indentation a line is known for code.
    while (start > from && /[ \t]/u.test(text.charAt(start - 1))) start--
    from = end
    stretches.push({ start, end })
  }
  return { text, stretches }
}
