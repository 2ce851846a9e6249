import { isJsonObject } from '../../model/json/json.ts'
import type { Role } from '../../model/messages/message.ts'
import type { EntryDraft } from '../entry-builder.ts'
import { listField } from '../fields.ts'
import { jsonContainer } from '../json/json-spans.ts'
import { parseJson } from '../json/json-value.ts'
import type { ListDocument } from '../list-document.ts'
import type { SpanMeaning } from '../span-writer.ts'
import { genericEntry, isMessageLike } from './generic-rows.ts'

/** Members whose text is said, however short it is, and who says it: nobody that is known for `undefined`. */
const speakers = new Map<string, Role | undefined>([
  ['system', 'system'],
  ['system_prompt', 'system'],
  ['instructions', 'system'],
  ['prompt', 'user'],
  ['question', 'user'],
  ['query', 'user'],
  ['instruction', 'user'],
  ['input', 'user'],
  ['response', 'assistant'],
  ['answer', 'assistant'],
  ['output', 'assistant'],
  ['completion', 'assistant'],
  ['content', undefined],
  ['text', undefined],
  ['message', undefined],
  ['body', undefined],
  ['value', undefined],
  ['result', undefined],
])
/** What is about a conversation, and not said in it. */
const aboutNames = new Set(['title', 'name', 'tools', 'functions'])
const timeNames = /(?:^|_)(?:date|time|at|created|updated)$|[a-z](?:At|Date|Time)$/u
/** Three words: names, ids and paths have fewer. */
const prose = /\S\s+\S+\s+\S/u

export function isSaidName(key: string): boolean {
  return speakers.has(key)
}

/**
 * What is said beside a list of messages: instructions before it, an answer after it. With `anyProse` also what holds three words under
 * another name, by nobody that is known. Not what one of the messages says too, as data to train models with repeats the first there.
 */
export function saidBeside(
  bytes: Uint8Array,
  { list, complete }: ListDocument,
  { messages, anyProse }: { readonly messages: readonly SpanMeaning[]; readonly anyProse: boolean },
): readonly SpanMeaning[] {
  const root = jsonContainer(bytes)
  if (root === undefined || list === undefined) return []
  const texts = new Set(messages.map(({ entry }) => entry.text))
  const isProse = (key: string, value: unknown) =>
    anyProse && !aboutNames.has(key) && !timeNames.test(key) && holdsProse(value)
  return root.children.flatMap(({ key = '', start, end, complete: isWhole }) => {
    const isList = start <= list.start && list.start < end
    // Of a document that breaks off, what comes after the list is an entry already.
    if (!isWhole || isList || (!complete && start > list.start)) return []
    const parsed = parseJson(bytes.subarray(start, end))
    if (!parsed.ok || parsed.value === null || parsed.value === '') return []
    const { value } = parsed
    if (!speakers.has(key) && !isMessageLike(value) && !isProse(key, value)) return []
    const entry = saidEntry(key, value)
    return (entry.text ?? '') !== '' && texts.has(entry.text) ? [] : [{ start, end, entry }]
  })
}

/** By nobody that is known it is no message, whatever word it stands under: `user_agent`, `model`. */
function saidEntry(key: string, value: unknown): EntryDraft {
  const [choice] = listField(value, 'choices')
  const answer = isJsonObject(choice) ? genericEntry(choice) : undefined
  const entry = genericEntry(value)
  const said = answer === undefined ? entry : { ...answer, model: entry.model, usage: entry.usage }
  const role = said.role ?? speakers.get(key)
  return role === undefined ? said : { ...said, kind: 'message', role }
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
