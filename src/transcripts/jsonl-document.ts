import { byteLines, type ByteLine } from './bytes/lines.ts'
import { damaged, EventBuilder, type EntryDraft, type SessionDraft } from './entry-builder.ts'
import type { TranscriptEvent } from './format.ts'
import { gluedObjects, parseJson } from './json/json-value.ts'

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
}

const nothing = new Uint8Array()

/** The events of a JSONL document. */
export async function* jsonlEvents(
  chunks: AsyncIterable<Uint8Array>,
  reader: RowReader,
): AsyncGenerator<TranscriptEvent> {
  const events = new EventBuilder()
  for await (const line of byteLines(chunks)) {
    if (line.type === 'end') yield line
    else yield* lineEvents(line, reader, events)
  }
}

function* lineEvents(line: ByteLine, reader: RowReader, events: EventBuilder): Generator<TranscriptEvent> {
  const damage = (before: Uint8Array, bytes: Uint8Array, problem: string) =>
    events.entry({ session: reader.session(), before, bytes }, damaged(problem))
  if (line.oversized) {
    yield* damage(line.before, line.bytes, 'Part of a line that is too long to read')
    return
  }
  const parsed = parseJson(line.bytes)
  if (parsed.ok) {
    yield* rowEvents(line, reader.read(parsed.value, line.bytes), events)
    return
  }
  const glued = gluedObjects(line.bytes)
  if (glued === undefined) {
    yield* damage(line.before, line.bytes, parsed.problem)
    return
  }
  let { before } = line
  for (const { start, end, value } of glued) {
    const bytes = line.bytes.subarray(start, end)
    if (value === undefined) yield* damage(before, bytes, 'Not valid JSON after another object on the same line')
    else yield* rowEvents({ before, bytes }, reader.read(value, bytes), events)
    before = nothing
  }
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
