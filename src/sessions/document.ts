import { decodePayload, jsonMediaType, textOfPayload } from '../model/payload.ts'
import type { MessageRow } from '../store/messages.ts'
import type { SessionRow } from '../store/sessions.ts'

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
  readonly restricted?: boolean
  readonly legal_hold?: boolean
}

/** One message of the session document. */
export interface MessageDocument {
  readonly id: string
  readonly seq: number
  readonly timestamp: string
  readonly sender: string
  readonly role: string
  /** What was saved: any JSON; the text of a damaged line; base64 where the bytes are not text (`metadata.encoding` says so). */
  readonly content?: unknown
  /** In place of `content`, where one message is larger than the page: a piece of its exact text. */
  readonly content_part?: { readonly offset_bytes: number; readonly total_bytes: number; readonly text: string }
  /** In the compact view, in place of `content`. */
  readonly text?: string
  readonly truncated?: boolean
  readonly embeddings?: readonly unknown[]
  readonly metadata?: Readonly<Record<string, unknown>>
}

/** The founding session schema, with what this product adds to it. */
export interface SessionDocument extends SessionHead {
  readonly notice?: string
  readonly messages: readonly MessageDocument[]
  readonly context_summary: string | null
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

function metadataOf(
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
    kind: message.kind === 'message' ? undefined : message.kind,
    encoding: known.encoding === 'json' ? undefined : known.encoding,
    media_type: message.payloadMediaType === jsonMediaType ? undefined : message.payloadMediaType,
    own: message.metadata === null ? undefined : JSON.parse(message.metadata),
  }
  const given = Object.entries(optional).filter(([, value]) => value !== null && value !== undefined)
  return {
    tools_used: message.toolsUsed ?? [],
    sentiment: known.sentiment,
    trust: message.trust,
    saved_at: message.savedAt,
    sha256: Buffer.from(message.payloadSha256).toString('hex'),
    ...Object.fromEntries(given),
  }
}

function common(message: MessageRow) {
  return { id: message.id, seq: message.seq, timestamp: message.timestamp, sender: message.sender, role: message.role }
}

/** A message whole, with everything that is known about it. */
export function fullMessage(message: MessageRow, payload: Uint8Array, sentiment: number | null): MessageDocument {
  const decoded = decodePayload(payload, message.payloadMediaType)
  return {
    ...common(message),
    content: decoded.value,
    embeddings: [],
    metadata: metadataOf(message, { encoding: decoded.encoding, sentiment }),
  }
}

/** A piece of a message that is too large for one page; the pieces in order are its exact text (or base64). */
export function partOfMessage(
  message: MessageRow,
  payload: Uint8Array,
  piece: { readonly offsetBytes: number; readonly text: string },
): MessageDocument {
  const { encoding } = decodePayload(payload, message.payloadMediaType)
  return {
    ...common(message),
    content_part: { offset_bytes: piece.offsetBytes, total_bytes: payload.length, text: piece.text },
    embeddings: [],
    metadata: metadataOf(message, { encoding, sentiment: null }),
  }
}

/** A message as one reads it: who, when, and its text. */
export function compactMessage(message: MessageRow, text: string, truncated: boolean): MessageDocument {
  return { ...common(message), text, ...(truncated ? { truncated } : {}) }
}
