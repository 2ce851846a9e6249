import { EventBuilder, type EntryDraft, type SessionDraft } from './entry-builder.ts'
import type { TranscriptEnd, TranscriptEvent } from './format.ts'
import type { JsonSpan } from './json/json-spans.ts'

/** A value inside a larger document that becomes an entry. */
export interface SpanMeaning extends JsonSpan {
  readonly entry: EntryDraft
}

/** One conversation inside a document: its bytes, its session, and the values in it that are entries, in order. */
export interface Conversation {
  readonly bytes: Uint8Array
  readonly head: SessionDraft
  readonly spans: readonly SpanMeaning[]
}

/** Writes the entries of conversations, and carries the bytes between them from one entry to the next. */
export class SpanWriter {
  readonly #events: EventBuilder
  #between: Uint8Array[] = []

  constructor(events = new EventBuilder()) {
    this.#events = events
  }

  /** Bytes that belong to no entry: they go to the next `before`, or to `after`. */
  skip(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#between.push(bytes)
  }

  *conversation(conversation: Conversation): Generator<TranscriptEvent> {
    yield* this.#events.session(conversation.head)
    let at = 0
    for (const span of conversation.spans) {
      this.skip(conversation.bytes.subarray(at, span.start))
      yield* this.entry(conversation.head.id, conversation.bytes.subarray(span.start, span.end), span.entry)
      at = span.end
    }
    this.skip(conversation.bytes.subarray(at))
  }

  *entry(session: string, bytes: Uint8Array, draft: EntryDraft): Generator<TranscriptEvent> {
    yield* this.#events.entry({ session, before: this.#take(), bytes }, draft)
  }

  end(): TranscriptEnd {
    return { type: 'end', after: this.#take() }
  }

  #take(): Uint8Array {
    const between = Buffer.concat(this.#between)
    this.#between = []
    return between
  }
}
