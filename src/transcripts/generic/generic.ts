import { fileChunks, fileHead, fileSize, plainChunks, wholeFile } from '../bytes/file-bytes.ts'
import { damaged, type EntryDraft } from '../entry-builder.ts'
import type { TranscriptDocument, TranscriptEvent, TranscriptFormat, TranscriptSample } from '../format.ts'
import { arrayElements } from '../json/json-array.ts'
import { jsonDocuments } from '../json/json-documents.ts'
import { jsonContainer, skipJsonSpace } from '../json/json-spans.ts'
import { parseJson } from '../json/json-value.ts'
import { jsonlEvents, type RowMeaning, type RowReader } from '../jsonl-document.ts'
import { headLines } from '../sample.ts'
import { nameFromContent } from '../session-name.ts'
import { SpanWriter, type Conversation } from '../span-writer.ts'
import { conversationsWithin, readDocument, type Listed } from './generic-conversation.ts'
import { genericEntry, genericSession, isMessageLike } from './generic-rows.ts'
import { isConversationRow, RowConversations } from './row-conversations.ts'

const linesName = /\.(?:jsonl|ndjson)(?:\.zst)?$/u
const documentName = /\.json$/u
const lineFeed = 0x0a
const openBracket = 0x5b
const openBrace = 0x7b

/** How a file of no known tool is laid out. */
type Layout = 'lines' | 'messages' | 'document'

/**
 * Any JSONL, also with a conversation on each line, any array of messages, any object with a list of messages, any other JSON
 * document (one entry). Fields are understood by their usual names.
 */
export const generic: TranscriptFormat = {
  name: 'generic',
  label: 'JSON or JSONL',
  detect: detectGeneric,
  async *documents(path): AsyncGenerator<TranscriptDocument> {
    const layout = layoutOf({ path, head: await fileHead(path), sizeBytes: await fileSize(path) })
    if (layout === 'messages') yield { name: '', events: arrayEvents(path) }
    else if (layout === 'document') yield { name: '', events: documentEvents(path) }
    else yield { name: '', events: jsonlEvents(plainChunks(path), new GenericRows(path)) }
  },
  places: () => [],
}

class GenericRows implements RowReader {
  readonly #path: string
  readonly #conversations: RowConversations
  /** Of the last message on a line of its own. */
  #session: string | undefined
  /** Of the last line, whatever it held. */
  #last: string | undefined

  constructor(path: string) {
    this.#path = path
    this.#conversations = new RowConversations(path)
  }

  /** A line that breaks off goes with the one before it. */
  session(): string {
    if (this.#last !== undefined) return this.#last
    this.#session ??= nameFromContent(this.#path, new Uint8Array())
    return this.#session
  }

  conversation(value: unknown, bytes: Uint8Array): Conversation | undefined {
    const conversation = this.#conversations.read(value, bytes)
    this.#last = conversation?.head.id ?? this.#last
    return conversation
  }

  read(value: unknown, bytes: Uint8Array): RowMeaning {
    this.#session = genericSession(value) ?? this.#session ?? nameFromContent(this.#path, bytes)
    this.#last = this.#session
    return { session: this.#session, entry: genericEntry(value) }
  }
}

async function* arrayEvents(path: string): AsyncGenerator<TranscriptEvent> {
  const writer = new SpanWriter()
  const conversations = new RowConversations(path)
  let session: string | undefined
  for await (const part of arrayElements(fileChunks(path))) {
    if (part.type === 'end') {
      writer.skip(part.after)
      continue
    }
    const parsed =
      part.type === 'rest'
        ? ({ ok: false, problem: 'Not part of the array of messages' } as const)
        : parseJson(part.bytes)
    const conversation = parsed.ok ? conversations.read(parsed.value, part.bytes) : undefined
    writer.skip(part.before)
    if (conversation !== undefined) {
      session = undefined
      yield* writer.conversation(conversation)
      continue
    }
    const entry: EntryDraft = parsed.ok ? genericEntry(parsed.value) : damaged(parsed.problem)
    // Another array is another conversation.
    if (part.before.includes(openBracket)) session = undefined
    session = (parsed.ok ? genericSession(parsed.value) : undefined) ?? session ?? nameFromContent(path, part.bytes)
    yield* writer.entry(session, part.bytes, entry)
  }
  yield writer.end()
}

async function* documentEvents(path: string): AsyncGenerator<TranscriptEvent> {
  const writer = new SpanWriter()
  const bytes = await wholeFile(path)
  if (skipJsonSpace(bytes, 0) === bytes.length) writer.skip(bytes)
  else {
    const conversations = new RowConversations(path)
    let session: string | undefined
    for (const document of jsonDocuments(bytes)) {
      const within = conversationsWithin(document, conversations)
      if (within !== undefined) {
        yield* writeWithin(writer, { path, document, within })
        continue
      }
      const conversation = readDocument(document, { path, session })
      session = conversation.head.id
      yield* writer.conversation(conversation)
    }
  }
  yield writer.end()
}

function* writeWithin(
  writer: SpanWriter,
  {
    path,
    document,
    within,
  }: { readonly path: string; readonly document: Uint8Array; readonly within: readonly Listed[] },
): Generator<TranscriptEvent> {
  let at = 0
  for (const { start, bytes, conversation } of within) {
    writer.skip(document.subarray(at, start))
    const read = () => readDocument(bytes, { path, session: undefined })
    yield* writer.conversation(conversation ?? read())
    at = start + bytes.length
  }
  writer.skip(document.subarray(at))
}

function layoutOf(sample: TranscriptSample): Layout {
  const { head, path } = sample
  const [first, second] = headLines(sample)
  const firstParses = first !== undefined && parseJson(first).ok
  if (linesName.test(path) || (firstParses && second !== undefined) || head.indexOf(lineFeed) === -1) {
    const single = second === undefined && head.length >= sample.sizeBytes && documentName.test(path)
    if (!single && !(documentName.test(path) && !firstParses)) return 'lines'
  }
  if (head[skipJsonSpace(head, 0)] !== openBracket) return 'document'
  return holdsMessages(head) ? 'messages' : 'document'
}

/** Of an array that begins with messages, or holds a conversation among its first elements: one that was opened and not used is empty. */
function holdsMessages(head: Uint8Array): boolean {
  const elements = jsonContainer(head)?.children ?? []
  const [first] = elements
  if (first === undefined || head[first.start] !== openBrace) return false
  // A first message longer than the head cannot be parsed yet; anything that long in an array is taken for one.
  if (!first.complete) return true
  const values = elements.flatMap(({ start, end, complete }) => {
    const parsed = complete ? parseJson(head.subarray(start, end)) : undefined
    return parsed?.ok === true ? [parsed.value] : []
  })
  return isMessageLike(values[0]) || values.some((value) => isConversationRow(value))
}

function detectGeneric(sample: TranscriptSample): number {
  const { head, path } = sample
  const opening = head[skipJsonSpace(head, 0)]
  const whole = head.length >= sample.sizeBytes
  if (linesName.test(path))
    return headLines(sample).some((line) => parseJson(line).ok) ? 0.3 : opening === openBrace ? 0.15 : 0
  if (opening !== openBrace && opening !== openBracket) return 0
  const [first] = headLines(sample)
  if (whole && parseJson(head.subarray(skipJsonSpace(head, 0))).ok) return 0.2
  if (first !== undefined && parseJson(first).ok) return 0.2
  // Prose may begin with a bracket too; JSON has a value or a name next.
  const next = head[skipJsonSpace(head, skipJsonSpace(head, 0) + 1)]
  const plausible = opening === openBrace ? next === 0x22 : next === openBrace || next === openBracket || next === 0x22
  return plausible && (documentName.test(path) || !whole) ? 0.1 : 0
}
