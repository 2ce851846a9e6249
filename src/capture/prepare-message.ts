import { InputError, LimitError } from '../errors.ts'
import { limits } from '../limits.ts'
import { newId } from '../model/ids.ts'
import { toolsOfContent } from '../model/messages/content.ts'
import { trustOfRole, type Role, type TokenUsage } from '../model/messages/message.ts'
import { jsonMediaType, sha256 } from '../model/messages/payload.ts'
import { checkName, parseTime } from '../model/validate.ts'
import type { PreparedMessage } from './large-payload.ts'

/** A message as a caller gives it. `content` is any JSON and is kept exactly. */
export interface MessageInput {
  readonly content: unknown
  readonly sender: string
  readonly role: Role
  readonly messageId?: string | undefined
  readonly timestamp?: string | number | undefined
  readonly model?: string | undefined
  readonly usage?: TokenUsage | undefined
  readonly toolsUsed?: readonly string[] | undefined
  readonly toolCallId?: string | undefined
  readonly parentId?: string | undefined
  readonly metadata?: Readonly<Record<string, unknown>> | undefined
}

/**
 * A message as it is stored: its exact bytes and their hash. Throws InputError and LimitError for what cannot be taken.
 */
export function prepareMessage(input: MessageInput): PreparedMessage {
  const bytes = contentBytes(input.content)
  const hash = sha256(bytes)
  return {
    id: newId(),
    ...(input.messageId === undefined
      ? {}
      : { externalId: checkName(input.messageId, { field: 'message_id', charactersMax: limits.idCharactersMax }) }),
    ...(input.parentId === undefined
      ? {}
      : { parent: checkName(input.parentId, { field: 'parent_id', charactersMax: limits.idCharactersMax }) }),
    ...(input.timestamp === undefined ? {} : { timestamp: parseTime(input.timestamp, 'timestamp') }),
    role: input.role,
    sender: checkName(input.sender, { field: 'sender', charactersMax: limits.nameCharactersMax, isRequired: true }),
    ...(input.model === undefined ? {} : { model: name(input.model, 'model') }),
    kind: 'message',
    trust: trustOfRole(input.role),
    ...(input.usage === undefined ? {} : { usage: input.usage }),
    toolsUsed: input.toolsUsed?.map((tool) => name(tool, 'tools_used')) ?? usableNames(toolsOfContent(input.content)),
    ...(input.toolCallId === undefined ? {} : { toolCallId: name(input.toolCallId, 'tool_call_id') }),
    mediaType: jsonMediaType,
    sha256: hash,
    ...(input.metadata === undefined ? {} : { metadata: metadataText(input.metadata) }),
    payload: { bytes },
  }
}

/** JSON has no infinity: it comes from a number like 1e400, of which JSON.stringify would make null. */
function holdsInfinity(content: unknown): boolean {
  const pending: unknown[] = [content]
  while (pending.length > 0) {
    const value = pending.pop()
    if (typeof value === 'number' && !Number.isFinite(value)) return true
    if (typeof value === 'object' && value !== null) for (const entry of Object.values(value)) pending.push(entry)
  }
  return false
}

/**
 * The exact bytes of a JSON value that arrived parsed. Throws InputError where it nests too deeply to be written, and
 * where it holds a number that was too large to be read.
 */
function contentBytes(content: unknown): Uint8Array {
  if (content === undefined) {
    throw new InputError('Cannot save a message without "content"', {
      remedy: 'Give "content" a string or any JSON value',
    })
  }
  let text: string
  try {
    text = JSON.stringify(content)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new InputError('Cannot save a message whose content nests thousands of levels deep', {
      remedy: 'Send such content as a string',
      cause: error,
    })
  }
  if (text.includes('null') && holdsInfinity(content)) {
    throw new InputError('Cannot save a message whose content holds a number beyond 1.8e308', {
      remedy: 'Send such a number as a string',
    })
  }
  const bytes = Buffer.from(text, 'utf8')
  if (bytes.length > limits.messageBytesMax) {
    throw new LimitError('save the message', {
      what: 'its size in bytes',
      limit: limits.messageBytesMax,
      actual: bytes.length,
      remedy: 'Split it into several messages, or import it from a file with "verbatim import"',
    })
  }
  return bytes
}

function metadataText(metadata: Readonly<Record<string, unknown>>): string {
  const text = JSON.stringify(metadata)
  const sizeBytes = Buffer.byteLength(text)
  if (sizeBytes > limits.metadataBytesMax) {
    throw new LimitError('save the message', {
      what: 'the size of "metadata" in bytes',
      limit: limits.metadataBytesMax,
      actual: sizeBytes,
    })
  }
  return text
}

function name(value: string, field: string): string {
  return checkName(value, { field, charactersMax: limits.nameCharactersMax })
}

/** Names that content itself carries: content is taken whatever it is, so what cannot be a name is left out. */
function usableNames(names: readonly string[]): string[] {
  return names.filter(
    (text) => text.length > 0 && text.length <= limits.nameCharactersMax && text.isWellFormed() && !text.includes('\0'),
  )
}
