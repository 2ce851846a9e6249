import { damaged } from '../entry-builder.ts'
import { field, firstText, isoTime } from '../fields.ts'
import { jsonContainer, skipJsonSpace } from '../json/json-spans.ts'
import { parseJson } from '../json/json-value.ts'
import { listSpans, readListDocument, wholeSpan, type ListDocument } from '../list-document.ts'
import { nameFromContent } from '../session-name.ts'
import type { Conversation } from '../span-writer.ts'
import { genericEntry, genericSession } from './generic-rows.ts'
import { listNames, type RowConversations } from './row-conversations.ts'
import { saidBeside } from './said-beside.ts'

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

/** What is in a list of conversations: one of them, or something else. */
export interface Listed {
  readonly start: number
  readonly bytes: Uint8Array
  readonly conversation: Conversation | undefined
}

/** The elements of an object with a list of conversations; undefined for another document. */
export function conversationsWithin(bytes: Uint8Array, rows: RowConversations): readonly Listed[] | undefined {
  const document = readListDocument(bytes, ['conversations'])
  if (document?.complete !== true || !isListOfObjects(bytes, document)) return undefined
  const found = (document.list?.children ?? []).map(({ start, end }) => {
    const element = bytes.subarray(start, end)
    const parsed = parseJson(element)
    return { start, bytes: element, conversation: parsed.ok ? rows.read(parsed.value, element) : undefined }
  })
  return found.some(({ conversation }) => conversation !== undefined) ? found : undefined
}

function isListOfObjects(bytes: Uint8Array, { list }: ListDocument): boolean {
  const first = list?.kind === 'array' ? list.children[0] : undefined
  return first !== undefined && jsonContainer(bytes, first.start)?.kind === 'object'
}

function conversationOf(path: string, bytes: Uint8Array, document: ListDocument): Conversation {
  const { facts } = document
  const messages = listSpans(bytes, document, genericEntry)
  const spans = [...messages, ...saidBeside(bytes, document, { messages, anyProse: false })]
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
