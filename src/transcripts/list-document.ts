import { damaged, type EntryDraft } from './entry-builder.ts'
import { childrenOf, jsonContainer, skipJsonSpace, type JsonChild, type JsonContainer } from './json/json-spans.ts'
import { parseJson } from './json/json-value.ts'
import type { Conversation, SpanMeaning } from './span-writer.ts'

/** A JSON object that holds a list (or map) of entries beside facts about them. Facts and items are read one by one, so a
 * document that breaks off gives all that stands before the break. */
export interface ListDocument {
  readonly facts: Readonly<Record<string, unknown>>
  /** The member that holds the entries, or undefined where there is none. */
  readonly list: JsonContainer | undefined
  readonly complete: boolean
}

/** Reads the object's members, looking for the list under the first of `names` that is there; undefined for no object. */
export function readListDocument(bytes: Uint8Array, names: readonly string[]): ListDocument | undefined {
  const root = jsonContainer(bytes)
  if (root?.kind !== 'object') return undefined
  const name = names.find((candidate) => childrenOf(bytes, root, candidate) !== undefined)
  const facts = new Map<string, unknown>()
  for (const { key, start, end, complete } of root.children) {
    if (key === undefined || key === name || !complete) continue
    const parsed = parseJson(bytes.subarray(start, end))
    if (parsed.ok) facts.set(key, parsed.value)
  }
  return {
    facts: Object.fromEntries(facts),
    list: name === undefined ? undefined : childrenOf(bytes, root, name),
    complete: root.complete,
  }
}

/** The entries of a list document: one for each item, and one for what cannot be read at its end. */
export function listSpans(
  bytes: Uint8Array,
  document: ListDocument,
  understand: (value: unknown, child: JsonChild) => EntryDraft,
): readonly SpanMeaning[] {
  const { list } = document
  if (list === undefined) return [wholeSpan(bytes, { kind: 'unknown' })]
  const spans: SpanMeaning[] = []
  for (const child of list.children) {
    const parsed = parseJson(bytes.subarray(child.start, child.end))
    spans.push({
      start: child.start,
      end: child.end,
      entry: parsed.ok ? understand(parsed.value, child) : damaged(parsed.problem),
    })
  }
  const last = list.children.at(-1)?.end ?? list.start
  const rest = skipJsonSpace(bytes, last)
  if ((!list.complete || !document.complete) && rest < bytes.length) {
    spans.push({ start: rest, end: bytes.length, entry: damaged('The document breaks off') })
  }
  return spans
}

/** A conversation that is no list document: one entry that is all of it. */
export function wholeConversation(bytes: Uint8Array, id: string): Conversation {
  return { bytes, head: { id }, spans: [wholeSpan(bytes, { kind: 'unknown' })] }
}

/** The whole value as one entry, damaged where it does not parse. */
export function wholeSpan(bytes: Uint8Array, entry: EntryDraft): SpanMeaning {
  const start = skipJsonSpace(bytes, 0)
  const parsed = parseJson(bytes.subarray(start))
  return { start, end: bytes.length, entry: parsed.ok ? entry : damaged(parsed.problem) }
}
