import { InputError, LimitError, NotFoundError, UnavailableError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Caller } from '../model/access.ts'
import { toolsOfContent } from '../model/content.ts'
import { newId } from '../model/ids.ts'
import { trustOfRole, type Role, type TokenUsage } from '../model/message.ts'
import { jsonMediaType, sha256 } from '../model/payload.ts'
import { checkName, parseTime } from '../model/validate.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import type { Database } from '../store/database.ts'
import { saveMessages as store, type NewMessage, type SaveResult, type SaveTarget } from '../store/save-messages.ts'
import { storePayload } from './large-payload.ts'
import { resolveSession } from './session-reference.ts'

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

export interface SaveInput {
  /** Ours or the caller's own; absent opens a session. */
  readonly sessionId?: string | undefined
  readonly messages: readonly MessageInput[]
}

export interface SaveReceipt extends SaveResult {
  /** SHA-256 of each message's stored bytes, hexadecimal, in the order of `messages`. */
  readonly sha256: readonly string[]
}

export interface SaveDependencies {
  readonly database: Database
  readonly archive: ArchiveStore
  /** Remembers which session a reference named, so that a conversation's saves need one statement each. */
  readonly sessionIds: Map<string, string>
}

const rememberedSessionsMax = 10_000

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

async function prepare(archive: ArchiveStore, input: MessageInput): Promise<NewMessage> {
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
    sender: name(input.sender, 'sender'),
    ...(input.model === undefined ? {} : { model: name(input.model, 'model') }),
    kind: 'message',
    trust: trustOfRole(input.role),
    ...(input.usage === undefined ? {} : { usage: input.usage }),
    toolsUsed: input.toolsUsed?.map((tool) => name(tool, 'tools_used')) ?? usableNames(toolsOfContent(input.content)),
    ...(input.toolCallId === undefined ? {} : { toolCallId: name(input.toolCallId, 'tool_call_id') }),
    mediaType: jsonMediaType,
    sha256: hash,
    payload: await storePayload(archive, bytes, hash),
    ...(input.metadata === undefined ? {} : { metadata: metadataText(input.metadata) }),
  }
}

/** Finds the session a save goes to, or describes the one it opens. */
async function saveTarget(
  dependencies: SaveDependencies,
  caller: Caller,
  reference: string | undefined,
): Promise<SaveTarget> {
  if (reference === undefined) return { id: newId(), source: 'mcp', create: true }
  const known = dependencies.sessionIds.get(`${caller.tenantId} ${reference}`)
  if (known !== undefined) return { id: known, source: 'mcp', create: false }
  const session = await resolveSession(dependencies.database, caller.tenantId, reference)
  if (session !== undefined) return { id: session.id, source: session.source, create: false }
  return { id: newId(), source: 'mcp', externalId: reference, create: true }
}

function remember(dependencies: SaveDependencies, key: string, sessionId: string): void {
  const { sessionIds } = dependencies
  sessionIds.delete(key)
  sessionIds.set(key, sessionId)
  const oldest = sessionIds.keys().next()
  if (sessionIds.size > rememberedSessionsMax && oldest.done !== true) sessionIds.delete(oldest.value)
}

/**
 * Keeps messages, word for word: when the promise resolves their exact bytes are on stable storage. All or nothing.
 * A retry with the same message ids and content gets the first answer. Errors: InputError, LimitError, ConflictError,
 * UnavailableError; nothing is stored then.
 */
export async function saveMessages(
  dependencies: SaveDependencies,
  caller: Caller,
  input: SaveInput,
): Promise<SaveReceipt> {
  if (input.messages.length === 0) {
    throw new InputError('Cannot save an empty list of messages', {
      remedy: 'Put at least one message into "messages"',
    })
  }
  if (input.messages.length > limits.batchMessagesMax) {
    throw new LimitError('save the messages', {
      what: 'their number',
      limit: limits.batchMessagesMax,
      actual: input.messages.length,
      remedy: 'Send several batches',
    })
  }
  if (input.sessionId === undefined && input.messages.some(({ messageId }) => messageId !== undefined)) {
    throw new InputError(
      'Cannot save with "message_id" but without "session_id" as an id is unique within its session',
      {
        remedy: 'Give session_id too (your own id will do), so that a retry finds the message, or leave message_id out',
      },
    )
  }
  const messages: NewMessage[] = []
  for (const message of input.messages) messages.push(await prepare(dependencies.archive, message))
  const write = (target: SaveTarget): Promise<SaveResult> =>
    dependencies.database.run((sql) =>
      store(sql, {
        tenantId: caller.tenantId,
        actor: caller.principal,
        client: caller.client,
        session: target,
        messages,
        revise: false,
      }),
    )
  const save = async (target: SaveTarget): Promise<SaveResult> => {
    try {
      return await write(target)
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
      // The answer may have been lost after the commit.
      throw new UnavailableError(error.message, {
        remedy:
          'The messages may have been stored all the same: try again with the same session_id and message_id, or look with get_session first',
        cause: error,
      })
    }
  }
  const key = `${caller.tenantId} ${input.sessionId}`
  const target = await saveTarget(dependencies, caller, input.sessionId)
  let result: SaveResult
  try {
    result = await save(target)
  } catch (error) {
    // The remembered session may have been erased since: look again, once.
    if (!(error instanceof NotFoundError) || !dependencies.sessionIds.delete(key)) throw error
    result = await save(await saveTarget(dependencies, caller, input.sessionId))
  }
  if (input.sessionId !== undefined) remember(dependencies, key, result.sessionId)
  return { ...result, sha256: messages.map((message) => Buffer.from(message.sha256).toString('hex')) }
}
