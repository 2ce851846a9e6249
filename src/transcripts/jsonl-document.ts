import { LineSplitter, type ByteLine } from './bytes/lines.ts'
import { damaged, EventBuilder, type EntryDraft, type SessionDraft } from './entry-builder.ts'
import type { GrowingTranscript, TranscriptEvent } from './format.ts'
import { gluedObjects, parseJson } from './json/json-value.ts'
import { SpanWriter, type Conversation } from './span-writer.ts'

/** What a format says of one row: the entry, the session it belongs to, and news of that session. */
export interface RowMeaning {
  readonly session: string
  readonly entry: EntryDraft
  readonly head?: SessionDraft | undefined
}

/** Understands the rows of one file in order. It must not throw, whatever the value is. */
export interface RowReader {
  /** Where a row belongs that cannot be read. */
  session(): string
  read(value: unknown, bytes: Uint8Array): RowMeaning
  /** What a row is that holds a conversation of its own, and not an entry. */
  conversation?(value: unknown, bytes: Uint8Array): Conversation | undefined
  /** Whether the rows were begun on an assumption about the file that the last row has shown to be wrong. */
  readonly isOutdated?: boolean
}

const nothing = new Uint8Array()

/** The events of a JSONL document. */
export async function* jsonlEvents(
  chunks: AsyncIterable<Uint8Array>,
  reader: RowReader,
): AsyncGenerator<TranscriptEvent> {
  const document = new JsonlReader(reader)
  for await (const chunk of chunks) yield* document.push(chunk)
  yield* document.takeHeld()
  yield { type: 'end', after: document.between }
}

/** Reads a JSONL document as its bytes come. */
export class JsonlReader implements GrowingTranscript {
  readonly #rows: RowReader
  readonly #lines = new LineSplitter()
  readonly #events = new EventBuilder()
  /** What stands behind the last entry on its line. */
  #left: Uint8Array = nothing

  constructor(rows: RowReader) {
    this.#rows = rows
  }

  get between(): Uint8Array {
    return joined(this.#left, this.#lines.between)
  }

  get heldBytes(): number {
    return this.#lines.heldBytes
  }

  get isOutdated(): boolean {
    return this.#rows.isOutdated === true
  }

  *push(bytes: Uint8Array): Generator<TranscriptEvent> {
    for (const line of this.#lines.push(bytes)) yield* this.#line(line)
  }

  *takeHeld(): Generator<TranscriptEvent> {
    for (const line of this.#lines.takeHeld()) yield* this.#line(line)
  }

  *#line(line: ByteLine): Generator<TranscriptEvent> {
    const before = joined(this.#left, line.before)
    this.#left = yield* lineEvents({ ...line, before }, this.#rows, this.#events)
  }
}

const joined = (first: Uint8Array, second: Uint8Array): Uint8Array =>
  first.length === 0 ? second : Buffer.concat([first, second])

/** Returns the bytes of the line that come after its last entry. */
function* lineEvents(line: ByteLine, reader: RowReader, events: EventBuilder): Generator<TranscriptEvent, Uint8Array> {
  const damage = (before: Uint8Array, bytes: Uint8Array, problem: string) =>
    events.entry({ session: reader.session(), before, bytes }, damaged(problem))
  if (line.oversized) {
    yield* damage(line.before, line.bytes, 'Part of a line that is too long to read')
    return nothing
  }
  const parsed = parseJson(line.bytes)
  if (parsed.ok) {
    const conversation = reader.conversation?.(parsed.value, line.bytes)
    if (conversation !== undefined) return yield* conversationEvents(line.before, conversation, events)
    yield* rowEvents(line, reader.read(parsed.value, line.bytes), events)
    return nothing
  }
  const glued = gluedObjects(line.bytes)
  if (glued === undefined) {
    yield* damage(line.before, line.bytes, parsed.problem)
    return nothing
  }
  let { before } = line
  for (const { start, end, value } of glued) {
    const bytes = line.bytes.subarray(start, end)
    const conversation = value === undefined ? undefined : reader.conversation?.(value, bytes)
    if (conversation !== undefined) {
      before = yield* conversationEvents(before, conversation, events)
      continue
    }
    if (value === undefined) yield* damage(before, bytes, 'Not valid JSON after another object on the same line')
    else yield* rowEvents({ before, bytes }, reader.read(value, bytes), events)
    before = nothing
  }
  return before
}

function* conversationEvents(
  before: Uint8Array,
  conversation: Conversation,
  events: EventBuilder,
): Generator<TranscriptEvent, Uint8Array> {
  const writer = new SpanWriter(events)
  writer.skip(before)
  yield* writer.conversation(conversation)
  return writer.end().after
}

/** The events of one row that is understood: news of its session, then the entry. */
export function* rowEvents(
  place: { readonly before: Uint8Array; readonly bytes: Uint8Array },
  meaning: RowMeaning,
  events: EventBuilder,
): Generator<TranscriptEvent> {
  if (meaning.head !== undefined) yield* events.session(meaning.head)
  yield* events.entry({ session: meaning.session, before: place.before, bytes: place.bytes }, meaning.entry)
}
