import type { ContextSwitch, Role, TokenUsage } from '../model/messages/message.ts'

/**
 * One entry of a transcript: a line of a JSONL file, a JSON value inside a larger file, a row of a database.
 * Understanding an entry only adds fields; the bytes are kept whether or not the entry is understood.
 */
export interface TranscriptEntry {
  readonly type: 'entry'
  /** The source's own id of the session that the entry belongs to. */
  readonly session: string
  /** Exactly what stood in the file between the end of the previous entry (or the start of the file) and this entry. */
  readonly before: Uint8Array
  /** Exactly the entry's bytes. A line's terminator is not part of it: it belongs to the next `before`, or to `after`. */
  readonly bytes: Uint8Array
  /** `message` is a turn or a tool result, `event` an entry understood to be something else, `unknown` one of a kind this
   * version does not know, `damaged` one that does not parse. */
  readonly kind: 'message' | 'event' | 'unknown' | 'damaged'
  /**
   * The entry's own id, unique within its session: one that comes again in the document has `#2`, `#3` … added.
   * Absent where the format gives none; the importer then makes one from the bytes.
   */
  readonly id?: string
  /** The id of the entry that this one follows in the conversation tree. */
  readonly parentId?: string
  /** ISO 8601 in UTC. Absent where the entry carries no time. */
  readonly timestamp?: string
  readonly role: Role
  /** Who speaks, in the source's words: a person's name, a model, a tool's name. */
  readonly sender?: string
  readonly model?: string
  /** What is shown and searched: prose, thinking, tool names with their input, tool output. '' where there is nothing to read. */
  readonly text: string
  /** What this entry adds to the session's totals. A format that repeats cumulative counts gives the difference only. */
  readonly usage?: TokenUsage
  /** Names of the tools that this entry calls. */
  readonly toolsUsed: readonly string[]
  /** The call that a tool result answers, or the only call that the entry makes. */
  readonly toolCallId?: string
  readonly contextSwitch?: ContextSwitch
  /** True for an entry that another session's file also holds (a fork's copied prefix): it is stored, but adds nothing to totals. */
  readonly copied?: boolean
  /** For `damaged`: what is wrong, without quoting the content. */
  readonly problem?: string
}

/** What a transcript says of a session. May come several times; later fields win. */
export interface TranscriptSession {
  readonly type: 'session'
  readonly id: string
  readonly title?: string
  /** The source's id of the session that this one was forked from or works for (subagent). */
  readonly parent?: string
  readonly createdAt?: string
  readonly participants?: readonly string[]
  /** Small facts worth showing: working directory, git branch, version, channel. */
  readonly metadata?: Readonly<Record<string, string | number | boolean>>
  /** The source asks that this session is never captured; its entries are not yielded. */
  readonly incognito?: boolean
}

/** The end of a document: what stood after the last entry. */
export interface TranscriptEnd {
  readonly type: 'end'
  readonly after: Uint8Array
}

export type TranscriptEvent = TranscriptEntry | TranscriptSession | TranscriptEnd

/**
 * One byte-exact whole: a file, or one session of a database.
 * Law: the `before` and `bytes` of all entries in order, then `after`, are the document's bytes.
 */
export interface TranscriptDocument {
  /** '' for the file itself, otherwise what tells this document from the file's others. */
  readonly name: string
  readonly events: AsyncIterable<TranscriptEvent>
}

/**
 * A transcript of lines that grows at its end, read as far as it goes. The law of a document holds for it too: `before`
 * and `bytes` of all entries, then `between`, are the bytes of the lines that have ended.
 */
export interface GrowingTranscript {
  /** The events of the lines that end in these bytes, which follow those given before. */
  push(bytes: Uint8Array): Iterable<TranscriptEvent>
  /** What stood after the last entry; the next entry has it before it. */
  readonly between: Uint8Array
  /** How many bytes of a line that has not ended were given. */
  readonly heldBytes: number
  /** Takes the line that has not ended as it is. */
  takeHeld(): Iterable<TranscriptEvent>
  /** What came last shows what came before in another light: read the file again from its start. */
  readonly isOutdated: boolean
}

/** A row of a session, as much of it as it takes to know it again. */
export interface SessionRow {
  /** As `TranscriptEntry.id`. */
  readonly id?: string | undefined
  /** Of the bytes of a row without an id. */
  readonly sha256?: Uint8Array
  /** Milliseconds since 1970, where the source tells. */
  readonly writtenAtMs?: number | undefined
}

/** Some rows of one session that follow each other. */
export interface SessionRows {
  /** As `TranscriptEntry.session`. */
  readonly session: string
  readonly rows: readonly SessionRow[]
}

/** What detection looks at: it must not need more than this. */
export interface TranscriptSample {
  readonly path: string
  /** The first bytes of the file, at most 64 KiB; decompressed where the file is compressed. */
  readonly head: Uint8Array
  /** The file's size in bytes. */
  readonly sizeBytes: number
}

/** A place where a client keeps its transcripts. */
export interface TranscriptPlace {
  /** A file or a directory to walk, absolute. */
  readonly path: string
  /** Which files below it belong to the format; tested against the whole path, with `/` between its names. */
  readonly match: RegExp
}

/** One transcript format. One file a format; nothing outside `transcripts/` knows a format's shape. */
export interface TranscriptFormat {
  /** Also the `source` of its sessions: `openclaw`, `claude-code`, `codex`, … */
  readonly name: string
  /** For people: `Claude Code`. */
  readonly label: string
  /** How sure the format is that the file is its own: 0 (not mine) to 1 (certain), by content first. */
  detect(sample: TranscriptSample): number
  /**
   * Reads a file as one or more documents, streaming: memory is bounded by the largest entry, or conversation, not by the file.
   * A document's events are read once, and before the next document is asked for. Damaged content becomes `damaged` entries;
   * only a file that cannot be read throws: `InputError`, `LimitError` or `UnavailableError` with its path.
   */
  documents(path: string): AsyncIterable<TranscriptDocument>
  /** Begins to read a file of lines that grows; absent, or undefined for this file, where it must be read whole each time. */
  follow?(path: string): Promise<GrowingTranscript> | undefined
  /**
   * The rows of the sessions in a file, a page at a time. Present where rows are also stored without their file, so that the file
   * does not tell what is stored of it; undefined for a file that holds none.
   */
  sessionRows?(path: string): AsyncIterable<SessionRows> | undefined
  /** Where the client keeps its transcripts for a user whose home directory is `home`. */
  places(home: string, environment: Readonly<Record<string, string | undefined>>): readonly TranscriptPlace[]
}
