import { correctedIdOf } from '../model/messages/correction.ts'
import { isFlagged, type MessageFlags } from '../model/messages/message-flags.ts'
import { decodePayload, jsonMediaType, textOfPayload } from '../model/messages/payload.ts'
import type { MessageRow } from '../store/messages.ts'
import type { SessionRow } from '../store/session-row.ts'

/** A session without its messages, as every reply, export and listing shows it. Absent members are unknown or empty. */
export interface SessionHead {
  readonly session_id: string
  readonly external_id?: string
  readonly source: string
  readonly title?: string
  readonly created_at: string
  readonly closed_at: string | null
  readonly last_active_at: string
  readonly participants: readonly string[]
  readonly models_used: readonly string[]
  readonly message_count: number
  readonly total_tokens: number
  readonly tokens: {
    readonly input: number
    readonly output: number
    readonly cache_read: number
    readonly cache_write: number
  }
  readonly tool_invocations: number
  readonly context_switches: number
  readonly parent_session_id?: string
  readonly tags?: readonly string[]
  readonly metadata?: Readonly<Record<string, unknown>>
  /** How many names, or bytes of metadata, a reply of bounded length has left out. */
  readonly participants_more?: number
  readonly models_used_more?: number
  readonly tags_more?: number
  readonly metadata_bytes?: number
  readonly restricted?: boolean
  readonly legal_hold?: boolean
  /** When personal data in messages of it was last replaced for good. */
  readonly anonymized_at?: string
}

/** A piece of an exact text; the pieces in order are all of it. */
export interface PartOfText {
  readonly offset_bytes: number
  readonly total_bytes: number
  readonly text: string
}

/** One message of the session document. */
export interface MessageDocument {
  readonly id: string
  readonly seq: number
  readonly timestamp: string
  readonly sender: string
  readonly role: string
  /** Where something was found that its reader should know of. */
  readonly flags?: MessageFlags
  /** What was saved: any JSON; the text of a damaged line; base64 where the bytes are not text (`metadata.encoding` says so). */
  readonly content?: unknown
  /** In place of `content`, where one message is larger than the page: a piece of its exact text. */
  readonly content_part?: PartOfText
  /** In place of `content`, where the stored bytes are missing or altered: what is wrong. */
  readonly error?: string
  /** In the compact view, in place of `content`. */
  readonly text?: string
  readonly truncated?: boolean
  /** In the compact view, where there is no metadata. */
  readonly trust?: string
  /** Where its sender is restricted: it is stored, and read here by who may, and otherwise not used. */
  readonly restricted?: 'participant'
  /** The message that says what it should say: this one is not used any more. */
  readonly corrected_by?: string
  /** The message that this one corrects. */
  readonly corrects?: string
  readonly embeddings?: readonly unknown[]
  readonly metadata?: Readonly<Record<string, unknown>>
  /** After the pieces of the content, where the metadata is too large for a page: a piece of the JSON of all of it. */
  readonly metadata_part?: PartOfText
}

/** The founding session schema, with what this product adds to it. */
export interface SessionDocument extends SessionHead {
  readonly notice?: string
  readonly messages: readonly MessageDocument[]
  /** On the first page only, and cut to a quarter of it. */
  readonly context_summary: string | null
  readonly context_summary_truncated?: true
  /** The last message that the summary covers, where the session has newer ones. */
  readonly context_summary_to_seq?: number
  /** The sentences of it, a line each, that no message is known to bear out, by their numbers from 1: "2, 5-9". */
  readonly context_summary_without_messages?: string
  readonly next_cursor?: string
}

export function sessionHead(session: SessionRow): SessionHead {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens } = session
  return {
    session_id: session.id,
    ...(session.externalId === null ? {} : { external_id: session.externalId }),
    source: session.source,
    ...(session.title === null ? {} : { title: session.title }),
    created_at: session.createdAt,
    closed_at: session.closedAt,
    last_active_at: session.lastActiveAt,
    participants: session.participants,
    models_used: session.modelsUsed,
    message_count: session.messageCount,
    total_tokens: inputTokens + outputTokens + cacheReadTokens + cacheWriteTokens,
    tokens: { input: inputTokens, output: outputTokens, cache_read: cacheReadTokens, cache_write: cacheWriteTokens },
    tool_invocations: session.toolInvocations,
    context_switches: session.contextSwitches,
    ...(session.parentSessionId === null ? {} : { parent_session_id: session.parentSessionId }),
    ...(session.tags.length === 0 ? {} : { tags: session.tags }),
    ...(session.metadata === null ? {} : { metadata: session.metadata }),
    ...(session.restricted ? { restricted: true } : {}),
    ...(session.legalHold ? { legal_hold: true } : {}),
    ...(session.anonymizedAt === null ? {} : { anonymized_at: session.anonymizedAt }),
  }
}

/** What is to be read in a message: its stored text, or what follows from the payload. */
export function readableText(message: MessageRow, payload: Uint8Array): string {
  return message.text ?? textOfPayload(payload, message.payloadMediaType)
}

function tokensOf(message: MessageRow): Record<string, number> | undefined {
  const counts = {
    input: message.inputTokens,
    output: message.outputTokens,
    cache_read: message.cacheReadTokens,
    cache_write: message.cacheWriteTokens,
  }
  const known = Object.entries(counts).flatMap(([name, count]) => (count === null ? [] : [[name, count] as const]))
  return known.length === 0 ? undefined : Object.fromEntries(known)
}

/** What a reader needs to take a message's bytes for what they are, however small the page. */
function coreMetadata(message: MessageRow, encoding: string) {
  return {
    trust: message.trust,
    saved_at: message.savedAt,
    sha256: Buffer.from(message.payloadSha256).toString('hex'),
    ...(encoding === 'json' ? {} : { encoding }),
    ...(message.payloadMediaType === jsonMediaType ? {} : { media_type: message.payloadMediaType }),
  }
}

/** Everything that is known about a message but what its own metadata says. */
function knownMetadata(
  message: MessageRow,
  known: { readonly encoding: string; readonly sentiment: number | null },
): Record<string, unknown> {
  const optional = {
    external_id: message.externalId,
    model: message.model,
    tokens: tokensOf(message),
    tool_call_id: message.toolCallId,
    parent_id: message.parentId ?? message.parentExternalId,
    replaces_id: message.replacesId,
    context_switch: message.contextSwitch,
    anonymized_at: message.anonymizedAt,
    kind: message.kind === 'message' ? undefined : message.kind,
  }
  const given = Object.entries(optional).filter(([, value]) => value !== null && value !== undefined)
  return {
    tools_used: message.toolsUsed ?? [],
    sentiment: known.sentiment,
    ...coreMetadata(message, known.encoding),
    ...Object.fromEntries(given),
  }
}

function common(message: MessageRow) {
  const { id, seq, timestamp, sender, role, isRestricted, correctedById } = message
  const corrects = correctedIdOf(message)
  return {
    id,
    seq,
    timestamp,
    sender,
    role,
    ...(isRestricted === true ? { restricted: 'participant' as const } : {}),
    ...(correctedById === undefined ? {} : { corrected_by: correctedById }),
    ...(corrects === undefined ? {} : { corrects }),
    ...shownFlags(message),
  }
}

/** The bytes of a message, or why they cannot be had. */
export type MessageBody = { readonly payload: Uint8Array } | { readonly error: string }

/** A message whole, with everything that is known about it. */
export function fullMessage(message: MessageRow, body: MessageBody, sentiment: number | null): MessageDocument {
  const decoded = 'payload' in body ? decodePayload(body.payload, message.payloadMediaType) : undefined
  const own: unknown = message.metadata === null ? undefined : JSON.parse(message.metadata)
  return {
    ...common(message),
    ...('payload' in body ? { content: decoded?.value } : { error: body.error }),
    embeddings: [],
    metadata: {
      ...knownMetadata(message, { encoding: decoded?.encoding ?? 'json', sentiment }),
      ...(own === undefined ? {} : { own }),
    },
  }
}

/**
 * A message in pieces: what each of them says about it, and the JSON of its whole metadata. Its own metadata is put in
 * as it is stored, however deep it nests.
 */
export function messageInPieces(
  message: MessageRow,
  body: MessageBody,
): { readonly frame: MessageDocument; readonly metadataJson: string } {
  const encoding = 'payload' in body ? decodePayload(body.payload, message.payloadMediaType).encoding : 'json'
  const known = JSON.stringify(knownMetadata(message, { encoding, sentiment: null }))
  return {
    frame: {
      ...common(message),
      ...('payload' in body ? {} : { error: body.error }),
      embeddings: [],
      metadata: coreMetadata(message, encoding),
    },
    metadataJson: message.metadata === null ? known : `${known.slice(0, -1)},"own":${message.metadata}}`,
  }
}

/** A message as one reads it: who, when, how far to trust it, and its text. */
export function compactMessage(
  message: MessageRow,
  read: { readonly text: string; readonly truncated: boolean } | { readonly error: string },
): MessageDocument {
  return {
    ...common(message),
    trust: message.trust,
    ...('error' in read ? { error: read.error } : { text: read.text, ...(read.truncated ? { truncated: true } : {}) }),
  }
}

/** What a reply says that a message is flagged for: nothing where nothing was found. */
export function shownFlags({ flags }: Pick<MessageRow, 'flags'>): { readonly flags?: MessageFlags } {
  return flags !== null && isFlagged(flags) ? { flags } : {}
}
