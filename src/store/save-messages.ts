import type { Sql } from 'postgres'

import { ConflictError, LimitError, NotFoundError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { ContextSwitch, Role, TokenUsage, Trust } from '../model/message.ts'

/** One message, ready to be stored: everything is decided but its number in the session. */
export interface NewMessage {
  readonly id: string
  readonly externalId?: string
  /** The parent's id, ours or the caller's. */
  readonly parent?: string
  readonly timestamp?: string
  readonly role: Role
  readonly sender: string
  readonly model?: string
  readonly kind: 'message' | 'event' | 'unknown' | 'damaged'
  readonly trust: Trust
  readonly usage?: TokenUsage
  readonly toolsUsed?: readonly string[]
  readonly toolCallId?: string
  readonly contextSwitch?: ContextSwitch
  /** Also held by another session: stored, but adds nothing to this session's totals. */
  readonly copied?: boolean
  readonly mediaType: string
  readonly sha256: Uint8Array
  /** The exact bytes, or where they are in the archive store. */
  readonly payload: { readonly bytes: Uint8Array } | { readonly location: string; readonly sizeBytes: number }
  /** Only where the text does not follow from the payload. */
  readonly text?: string
  readonly metadata?: string
}

/** The session that messages go to: an existing one by id, or one to be made when none has this id or external id. */
export interface SaveTarget {
  readonly id: string
  readonly source: string
  readonly externalId?: string
  readonly create: boolean
  readonly createdAt?: string
  readonly title?: string
  readonly metadata?: string
  readonly parentExternalId?: string
}

export interface SaveRequest {
  readonly tenantId: number
  readonly actor: string
  readonly client: string
  readonly session: SaveTarget
  readonly messages: readonly NewMessage[]
  /** What an id that is already used for other bytes means: a caller's mistake (false), or a newer version (true). */
  readonly revise: boolean
}

export interface SavedMessage {
  readonly id: string
  readonly seq: number
  /** ISO 8601. */
  readonly savedAt: string
  readonly duplicate: boolean
}

export interface SaveResult {
  readonly sessionId: string
  readonly externalId: string | null
  readonly created: boolean
  readonly version: number
  readonly messages: readonly SavedMessage[]
}

/** Collects byte strings into one buffer and tells where each one is. */
class Slices {
  readonly #parts: Uint8Array[] = []
  #length = 0

  add(bytes: Uint8Array): [offset: number, length: number] {
    const offset = this.#length
    this.#parts.push(bytes)
    this.#length += bytes.length
    return [offset, bytes.length]
  }

  addText(text: string): [offset: number, length: number] {
    return this.add(Buffer.from(text, 'utf8'))
  }

  toBuffer(): Buffer {
    return Buffer.concat(this.#parts, this.#length)
  }
}

function describeMessage(message: NewMessage, slices: Slices): Record<string, unknown> {
  const { payload, usage } = message
  const inline = 'bytes' in payload
  // Undefined members are left out by JSON.stringify, and the function reads an absent member as null.
  return {
    id: message.id,
    external_id: message.externalId,
    parent: message.parent,
    timestamp: message.timestamp,
    role: message.role,
    sender: message.sender,
    model: message.model,
    kind: message.kind,
    trust: message.trust,
    input: usage?.input,
    output: usage?.output,
    cache_read: usage?.cacheRead,
    cache_write: usage?.cacheWrite,
    tools: message.toolsUsed !== undefined && message.toolsUsed.length > 0 ? message.toolsUsed : undefined,
    tool_call_id: message.toolCallId,
    switch: message.contextSwitch,
    copied: message.copied,
    media_type: message.mediaType,
    sha256: Buffer.from(message.sha256).toString('hex'),
    bytes: inline ? payload.bytes.length : payload.sizeBytes,
    location: inline ? undefined : payload.location,
    payload: inline ? slices.add(payload.bytes) : undefined,
    text: message.text === undefined ? undefined : slices.addText(message.text),
    metadata: message.metadata === undefined ? undefined : slices.addText(message.metadata),
  }
}

function describeSession(session: SaveTarget, slices: Slices): Record<string, unknown> {
  return {
    id: session.id,
    source: session.source,
    external_id: session.externalId,
    create: session.create,
    created_at: session.createdAt,
    title: session.title === undefined ? undefined : slices.addText(session.title),
    metadata: session.metadata === undefined ? undefined : slices.addText(session.metadata),
    parent_external_id: session.parentExternalId,
  }
}

interface FunctionResult {
  readonly session_id: string
  readonly external_id: string | null
  readonly created: boolean
  readonly version: number
  readonly messages: readonly { id: string; seq: number; saved_at: string; duplicate: boolean }[]
}

/** Translates the function's own SQLSTATEs (class VB); anything else is rethrown by the caller. */
function refusal(error: unknown, request: SaveRequest): Error | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  const detail = 'detail' in error ? String(error.detail) : ''
  switch (error.code) {
    case 'VB404':
      return new NotFoundError(`No session "${request.session.id}"`, {
        remedy: 'Call list_sessions to see the sessions',
      })
    case 'VB409': {
      const id = request.messages[Number(detail)]?.externalId ?? request.messages[Number(detail)]?.id
      return new ConflictError(
        `Cannot save message "${id}" as this id is already used in the session for other content`,
        {
          remedy:
            'Send a changed message under a new message_id; a retry must repeat content, role and sender unchanged',
          cause: error,
        },
      )
    }
    case 'VB413': {
      const [what, actual] = detail.split(' ')
      return new LimitError(`save to session "${request.session.id}"`, {
        what: `its ${what}`,
        limit: what === 'bytes' ? limits.sessionBytesMax : limits.sessionMessagesMax,
        actual: Number(actual),
        remedy: 'Continue in a new session',
      })
    }
    default:
      return undefined
  }
}

/**
 * Stores up to `limits.batchMessagesMax` messages of one session, all or none, durably, in one statement.
 * Idempotent: a message whose id (or external id) is stored already with the same bytes is answered with the first
 * answer. Errors: NotFoundError, ConflictError, LimitError; nothing is stored then.
 */
export async function saveMessages(sql: Sql, request: SaveRequest): Promise<SaveResult> {
  const slices = new Slices()
  const session = describeSession(request.session, slices)
  const messages = request.messages.map((message) => describeMessage(message, slices))
  try {
    const rows = await sql<{ result: FunctionResult }[]>`
      select save_messages(${request.tenantId}, ${JSON.stringify(session)}::text::jsonb, ${JSON.stringify(messages)}::text::jsonb,
        ${slices.toBuffer()}, ${request.revise}, ${request.actor}, ${request.client}, ${limits.sessionMessagesMax},
        ${limits.sessionBytesMax}) as result`
    const result = rows[0]?.result
    if (result === undefined) throw new Error('save_messages returned no row')
    return {
      sessionId: result.session_id,
      externalId: result.external_id,
      created: result.created,
      version: result.version,
      messages: result.messages.map((message) => ({
        id: message.id,
        seq: message.seq,
        savedAt: new Date(message.saved_at).toISOString(),
        duplicate: message.duplicate,
      })),
    }
  } catch (error) {
    throw refusal(error, request) ?? error
  }
}
