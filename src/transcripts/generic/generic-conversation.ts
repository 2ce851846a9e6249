import { isJsonObject } from '../../model/json/json.ts'
import { damaged } from '../entry-builder.ts'
import { field, firstText, isoTime } from '../fields.ts'
import { childrenOf, jsonContainer, skipJsonSpace } from '../json/json-spans.ts'
import { parseJson } from '../json/json-value.ts'
import { listSpans, readListDocument, wholeSpan, type ListDocument } from '../list-document.ts'
import { nameFromContent } from '../session-name.ts'
import type { Conversation, SpanMeaning } from '../span-writer.ts'
import { genericEntry, genericSession, isMessageLike } from './generic-rows.ts'

const listNames = ['messages', 'history', 'loglines', 'conversation', 'conversations', 'turns', 'steps'] as const
/** What is said about a conversation, and not in it: also what `verbatim export` writes there. */
const aboutNames = new Set(['title', 'name', 'context_summary', 'metadata', 'participants', 'models_used', 'tags'])
/** What is said there, however short it is. */
const saidNames = new Set(['system', 'prompt', 'response', 'answer', 'output', 'completion', 'chosen'])
/** Three words: names, ids, times and paths have fewer. */
const prose = /\S\s+\S+\s+\S/u

/** A list of messages is a conversation of its own; one entry by itself belongs to the `session` before it, as one in a line does. */
export function readDocument(
  bytes: Uint8Array,
  { path, session }: { readonly path: string; readonly session: string | undefined },
): Conversation {
  const document = readListDocument(bytes, listNames)
  if (document !== undefined && isListOfObjects(bytes, document)) return conversationOf(path, bytes, document)
  const parsed = parseJson(bytes.subarray(skipJsonSpace(bytes, 0)))
  const entry = parsed.ok ? genericEntry(parsed.value) : damaged(parsed.problem)
  return {
    bytes,
    head: { id: (parsed.ok ? genericSession(parsed.value) : undefined) ?? session ?? nameFromContent(path, bytes) },
    spans: [wholeSpan(bytes, entry)],
  }
}

/**
 * A row that holds a whole conversation, as data to train models with has one on each line; undefined where it is a message,
 * or where the first element of its list is none.
 */
export function conversationOfRow(path: string, value: unknown, bytes: Uint8Array): Conversation | undefined {
  if (!isJsonObject(value) || isMessageLike(value)) return undefined
  const list = listNames.map((name) => value[name]).find((found) => found !== undefined)
  if (!Array.isArray(list) || !isMessageLike(list[0])) return undefined
  const document = readListDocument(bytes, listNames)
  return document === undefined ? undefined : conversationOf(path, bytes, document)
}

function isListOfObjects(bytes: Uint8Array, { list }: ListDocument): boolean {
  const first = list?.kind === 'array' ? list.children[0] : undefined
  return first !== undefined && jsonContainer(bytes, first.start)?.kind === 'object'
}

function conversationOf(path: string, bytes: Uint8Array, document: ListDocument): Conversation {
  const { facts } = document
  const spans = [...listSpans(bytes, document, genericEntry), ...saidBeside(bytes, document)]
  return {
    bytes,
    head: {
      id: genericSession(facts) ?? firstText(facts, ['id', 'uuid']) ?? nameFromContent(path, bytes),
      title: firstText(facts, ['title', 'name']),
      createdAt: isoTime(field(facts, 'created_at') ?? field(facts, 'createdAt') ?? field(facts, 'start_time')),
    },
    spans: spans.toSorted((a, b) => a.start - b.start),
  }
}

/** What stands beside the list and is said: instructions before it, an answer after it. */
function saidBeside(bytes: Uint8Array, { list, complete }: ListDocument): readonly SpanMeaning[] {
  const root = jsonContainer(bytes)
  if (root === undefined || list === undefined) return []
  return root.children.flatMap(({ key = '', start, end, complete: isWhole }) => {
    const isList = childrenOf(bytes, root, key)?.start === list.start
    // Of a document that breaks off, what comes after the list is an entry already.
    if (!isWhole || isList || aboutNames.has(key) || (!complete && start > list.start)) return []
    const parsed = parseJson(bytes.subarray(start, end))
    const isSaid = parsed.ok && (saidNames.has(key) || isMessageLike(parsed.value) || holdsProse(parsed.value))
    if (!isSaid || parsed.value === null || parsed.value === '') return []
    // By its name a text is understood as in a message of its own: `system`, `prompt`.
    const entry = genericEntry(typeof parsed.value === 'string' ? { role: key, content: parsed.value } : parsed.value)
    return [{ start, end, entry }]
  })
}

function holdsProse(value: unknown): boolean {
  const pending: unknown[] = [value]
  while (pending.length > 0) {
    const next = pending.pop()
    if (typeof next === 'string' && prose.test(next)) return true
    if (typeof next === 'object' && next !== null) for (const entry of Object.values(next)) pending.push(entry)
  }
  return false
}
