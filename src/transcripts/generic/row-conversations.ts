import { createHash } from 'node:crypto'

import { looksLikeId } from '../../model/ids.ts'
import { isJsonObject } from '../../model/json/json.ts'
import { firstText, idField } from '../fields.ts'
import { listSpans, readListDocument } from '../list-document.ts'
import { nameWithin } from '../session-name.ts'
import type { Conversation, SpanMeaning } from '../span-writer.ts'
import { genericEntry, genericSession, isMessageLike, saysWhoSpeaks } from './generic-rows.ts'
import { isSaidName, saidBeside } from './said-beside.ts'

export const listNames = ['messages', 'history', 'loglines', 'conversation', 'conversations', 'turns', 'steps'] as const
/** 64 bits: a file may have millions of conversations. */
const hashDigits = 16
/** Beside an id: many data sets are called `data/train.jsonl`. */
const idHashDigits = 8
/** Of what is said about a conversation so much is shown with its session; all of it is kept. */
const metadataBounds = { members: 50, characters: 200 }

/** What the last row of a session held: its messages, by how many and a hash, and the answer beside them. */
interface Heard {
  readonly count: number
  readonly digest: string
  readonly answer: string | undefined
}

/** The conversations that rows of one file hold each, as data to train models with has one on each line. */
export class RowConversations {
  readonly #path: string
  readonly #heard = new Map<string, Heard>()
  /** How often a name came: two conversations that nobody named alike on purpose stay two. */
  readonly #named = new Map<string, number>()

  constructor(path: string) {
    this.#path = path
  }

  /** Undefined where the row is a message, or where none of its lists begins with one. */
  read(value: unknown, bytes: Uint8Array): Conversation | undefined {
    const name = conversationList(value)
    const document = name === undefined ? undefined : readListDocument(bytes, [name])
    if (document === undefined) return undefined
    const { facts } = document
    const listed = listSpans(bytes, document, genericEntry)
    const beside = saidBeside(bytes, document, { messages: listed, anyProse: true })
    const id = genericSession(facts)
    const messages = id === undefined ? listed : this.#news(id, { bytes, listed, beside })
    const spans = [...messages, ...beside]
    const { timestamp } = genericEntry(facts)
    return {
      bytes,
      head: {
        id: id ?? this.#name(facts, bytes, listed[0]),
        title: firstText(facts, ['title', 'name']),
        createdAt: timestamp,
        metadata: metadataOf(facts),
      },
      spans: withFacts(
        spans.toSorted((a, b) => a.start - b.start),
        facts,
      ),
    }
  }

  /** Logs of what a model is asked have on each line all that was said by then: what a line repeats of the one before is no entry again. */
  #news(session: string, { bytes, listed, beside }: Row): readonly SpanMeaning[] {
    const digestOf = (count: number) =>
      hashOf(...listed.slice(0, count).map(({ start, end }) => bytes.subarray(start, end)))
    const heard = this.#heard.get(session)
    const answer = beside.findLast(({ entry }) => entry.role === 'assistant')?.entry.text
    this.#heard.set(session, { count: listed.length, digest: digestOf(listed.length), answer })
    if (heard === undefined || heard.count > listed.length || digestOf(heard.count) !== heard.digest) return listed
    const next = listed[heard.count]
    const isAnswer = next?.entry.role === 'assistant' && next.entry.text === heard.answer
    return listed.slice(heard.count + (isAnswer ? 1 : 0))
  }

  /** Files number their rows from 0 on, so that an id tells rows of one file apart. One like ours is nobody else's. */
  #name(facts: unknown, bytes: Uint8Array, first: SpanMeaning | undefined): string {
    const id = idField(facts, 'id') ?? idField(facts, 'uuid')
    if (id !== undefined && looksLikeId(id) && !this.#named.has(id)) return this.#numbered(id)
    const begin = first === undefined ? bytes : bytes.subarray(first.start, first.end)
    const distinct =
      id === undefined ? hashOf(bytes).slice(0, hashDigits) : `${id}-${hashOf(begin).slice(0, idHashDigits)}`
    return this.#numbered(nameWithin(this.#path, distinct))
  }

  #numbered(name: string): string {
    const count = (this.#named.get(name) ?? 0) + 1
    this.#named.set(name, count)
    return count === 1 ? name : this.#numbered(`${name}~${count}`)
  }
}

interface Row {
  readonly bytes: Uint8Array
  readonly listed: readonly SpanMeaning[]
  readonly beside: readonly SpanMeaning[]
}

function hashOf(...parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}

/** Whether a row holds a conversation, and is not a message itself. */
export function isConversationRow(value: unknown): boolean {
  return conversationList(value) !== undefined
}

function conversationList(value: unknown): (typeof listNames)[number] | undefined {
  if (!isJsonObject(value)) return undefined
  // A message may be in an envelope, and stand beside what was said before it.
  const layers = [value, value['message'], value['data'], value['payload']]
  if (layers.some((layer) => saysWhoSpeaks(layer) && isMessageLike(layer))) return undefined
  return listNames.find((name) => {
    const list = value[name]
    return Array.isArray(list) && isMessageLike(list[0])
  })
}

/** The time of the row is that of each message without one; its model and tokens are of the last answer. */
function withFacts(spans: readonly SpanMeaning[], facts: unknown): readonly SpanMeaning[] {
  const { timestamp, model, usage } = genericEntry(facts)
  const last = spans.findLastIndex(({ entry }) => entry.role === 'assistant')
  const isCounted = spans.some(({ entry }) => entry.usage !== undefined)
  return spans.map((span, index) => {
    const { entry } = span
    const ofAnswer =
      index === last ? { model: entry.model ?? model, usage: entry.usage ?? (isCounted ? undefined : usage) } : {}
    return { ...span, entry: { ...entry, timestamp: entry.timestamp ?? timestamp, ...ofAnswer } }
  })
}

function metadataOf(facts: Readonly<Record<string, unknown>>): Readonly<Record<string, string | number | boolean>> {
  const { members, characters } = metadataBounds
  const shown = Object.entries(facts).flatMap(([name, value]): [string, string | number | boolean][] => {
    if (isSaidName(name) || name === 'title' || name === 'name' || name.length > characters) return []
    if (typeof value === 'string') return value !== '' && value.length <= characters ? [[name, value]] : []
    return (typeof value === 'number' && Number.isFinite(value)) || typeof value === 'boolean' ? [[name, value]] : []
  })
  return Object.fromEntries(shown.slice(0, members))
}
