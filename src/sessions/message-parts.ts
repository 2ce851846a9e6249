import { isJsonObject } from '../model/json/json.ts'
import { decodePayload } from '../model/messages/payload.ts'
import type { MessageRow } from '../store/messages.ts'
import { readableText } from './document.ts'

/** A part of what there is to read in a message: what its sender thought and did not say, or the rest. */
export interface MessagePart {
  readonly isThought: boolean
  readonly text: string
}

/** What a part is called before its text. */
export const thoughtLabel = 'Thinking'

/** Blocks and rows of what a model thought, by the name of their type, in the formats that are read. */
const thoughtType = /^(?:thinking|thoughts?|reasoning|reasoning_text|reasoning_recap|agent_reasoning)$/u
/** Members of a message that hold it. */
const thoughtMembers = ['thinking', 'thoughts', 'reasoning', 'reasoning_content'] as const
/** Members of a thought that hold its words; others sign or encrypt it. */
const wordMembers = [...thoughtMembers, 'subject', 'description', 'summary', 'text', 'content'] as const
const depthMax = 12

/** The words of all thoughts in a payload, in its order. */
function thoughtsIn(node: unknown, isThought = false, depth = 0): readonly string[] {
  if (depth > depthMax) return []
  if (typeof node === 'string') return isThought && node.trim() !== '' ? [node.trim()] : []
  if (Array.isArray(node)) return node.flatMap((item) => thoughtsIn(item, isThought, depth + 1))
  if (!isJsonObject(node)) return []
  const type = node['type'] ?? node['content_type']
  if (isThought || node['thought'] === true || (typeof type === 'string' && thoughtType.test(type)))
    return wordMembers.flatMap((name) => thoughtsIn(node[name], true, depth + 1))
  const isMember = (name: string) => thoughtMembers.some((own) => own === name)
  return Object.entries(node).flatMap(([name, member]) => thoughtsIn(member, isMember(name), depth + 1))
}

interface Stretch {
  readonly start: number
  readonly end: number
}

/** Where a thought stands by itself, from one line to another, and no other was found. */
function placeOf(thought: string, text: string, taken: readonly Stretch[]): Stretch | undefined {
  for (let start = text.indexOf(thought); start !== -1; start = text.indexOf(thought, start + 1)) {
    const end = start + thought.length
    const isApart =
      (start === 0 || text[start - 1] === '\n') && (end === text.length || /[\r\n]/u.test(text.charAt(end)))
    if (isApart && !taken.some((other) => start < other.end && other.start < end)) return { start, end }
  }
  return undefined
}

/**
 * What there is to read in a message, in its order, what a model thought apart from the rest. A thought that does not stand in the text as
 * its block has it is not told apart.
 */
export function messageParts(row: MessageRow, payload: Uint8Array): readonly MessagePart[] {
  const text = readableText(row, payload)
  const decoded = decodePayload(payload, row.payloadMediaType)
  const thoughts = decoded.encoding === 'base64' ? [] : thoughtsIn(decoded.value)
  const places: Stretch[] = []
  for (const thought of thoughts) {
    const place = placeOf(thought, text, places)
    if (place !== undefined) places.push(place)
  }
  if (places.length === 0) return [{ isThought: false, text }]
  const parts: MessagePart[] = []
  let from = 0
  for (const { start, end } of places.toSorted((a, b) => a.start - b.start)) {
    parts.push({ isThought: false, text: text.slice(from, start) }, { isThought: true, text: text.slice(start, end) })
    from = end
  }
  parts.push({ isThought: false, text: text.slice(from) })
  // Between two parts stands what parts paragraphs.
  return parts
    .map((part) => ({ ...part, text: part.text.replace(/^(?:[ \t]*\r?\n)+/u, '').trimEnd() }))
    .filter(({ text: one }) => one !== '')
}
