import {
  AuditUnwritten,
  ErasedError,
  ForbiddenError,
  InputError,
  KeysMissing,
  LimitError,
  NotFoundError,
  SessionKeyMissing,
  UnavailableError,
} from '../errors.ts'
import { limits } from '../limits.ts'
import type { Caller } from '../model/access.ts'
import type { Cache } from '../model/caches.ts'
import { newId } from '../model/ids.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import { accessRemedy } from '../store/access/session-access.ts'
import type { Database } from '../store/database.ts'
import { marksOfReference } from '../store/erasure/tombstones.ts'
import type { NewMessage, SaveResult, SaveTarget } from '../store/saving/save-messages.ts'
import { sessionIdsNamed } from '../store/sessions.ts'
import { leavingLatePuts, removeOrLeaveUnused, saveHeld } from './held-payloads.ts'
import { placePayload } from './large-payload.ts'
import { prepareMessage, type MessageInput } from './prepare-message.ts'
import { saveSealed } from './save-sealed.ts'
import { requireRole, resolveSession } from './session-reference.ts'

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
  readonly sessionIds: Cache<string>
}

/** What a reference names may depend on who sees what. */
function sessionKey({ tenantId, principalId = '' }: Caller, reference: string): string {
  return `${tenantId} ${principalId} ${reference}`
}

/** An id of a session that the caller may not know of is taken: nothing is said of it but that. */
async function refuseTakenId(database: Database, caller: Caller, reference: string): Promise<void> {
  if (caller.principalId === undefined) return
  const { tenantId } = caller
  const taken = await (database.unwalled ?? database).run((sql) => sessionIdsNamed(sql, tenantId, reference))
  const [id, another] = taken
  if (id === undefined) return
  if (another === undefined) caller.call?.about(id)
  throw new ForbiddenError(`Cannot save to session "${reference}" as it is shared with others only`, {
    remedy: `${accessRemedy}, or use another session_id`,
  })
}

/** Finds the session a save goes to, or describes the one it opens. */
async function saveTarget(
  dependencies: SaveDependencies,
  caller: Caller,
  reference: string | undefined,
): Promise<SaveTarget> {
  if (reference === undefined) return { id: newId(), source: 'mcp', create: true }
  const known = dependencies.sessionIds.get(sessionKey(caller, reference))
  if (known !== undefined) return { id: known, source: 'mcp', create: false }
  const session = await resolveSession(dependencies.database, caller, reference)
  const { database } = dependencies
  if (session !== undefined) {
    const { id, source, keyVersion: version } = session
    database.vault.remember(caller.tenantId, { sessionId: id, version })
    return { id, source, create: false }
  }
  await refuseTakenId(database, caller, reference)
  const tombstones = await (database.unwalled ?? database).run((sql) =>
    marksOfReference(sql, caller.tenantId, reference),
  )
  return { id: newId(), source: 'mcp', externalId: reference, create: true, tombstones }
}

function checkInput(input: SaveInput): void {
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
  checkInput(input)
  const prepared = input.messages.map(prepareMessage)
  const { database, archive } = dependencies
  const { tenantId, principalId, principal: actor, client, call } = caller
  const request = { tenantId, principalId, actor, client, call, revise: false }
  const write = (session: SaveTarget): Promise<SaveResult> =>
    saveSealed(database, { tenantId, session }, async (target) => {
      const held = { archive, given: prepared, seal: target.seal }
      const key = { tenantId, sessionId: target.session.id }
      const messages: NewMessage[] = []
      try {
        return await leavingLatePuts({ database, key }, held, async () => {
          // After all of them were looked at: nothing is archived for a message that is refused.
          for (const message of prepared) messages.push(await placePayload(archive, message, target.seal))
          return await saveHeld(database, held, { ...request, ...target, messages })
        })
      } catch (error) {
        // Of what was erased nothing is left in the archive either.
        if (error instanceof ErasedError) {
          const locations = messages.flatMap(({ payload }) => ('location' in payload ? [payload.location] : []))
          await Promise.allSettled([removeOrLeaveUnused(dependencies, key, locations)])
        }
        throw error
      }
    })
  const save = async (target: SaveTarget): Promise<SaveResult> => {
    try {
      return await write(target)
    } catch (error) {
      // Which role is missing is not the store's to say.
      if (error instanceof ForbiddenError)
        await requireRole(dependencies.database, caller, { sessionId: target.id, action: 'write' })
      if (!(error instanceof UnavailableError) || isWithoutDoubt(error)) throw error
      // The answer may have been lost after the commit.
      throw new UnavailableError(error.message, {
        remedy:
          'The messages may have been stored all the same: try again with the same session_id and message_id, or look with get_session first',
        cause: error,
      })
    }
  }
  const key = sessionKey(caller, input.sessionId ?? '')
  const target = await saveTarget(dependencies, caller, input.sessionId)
  let result: SaveResult
  try {
    result = await save(target)
  } catch (error) {
    // The remembered session may have been erased since: look again, once.
    if (!(error instanceof NotFoundError) || !dependencies.sessionIds.delete(key)) throw error
    result = await save(await saveTarget(dependencies, caller, input.sessionId))
  }
  // What is known already was asked for a moment ago, and so counts as used.
  if (input.sessionId !== undefined && dependencies.sessionIds.peek(key) !== result.sessionId)
    dependencies.sessionIds.set(key, result.sessionId)
  // What saves has written its row.
  if (caller.call !== undefined) caller.call.isWritten = true
  dependencies.database.announce?.({ tenantId: caller.tenantId, sessionId: result.sessionId })
  return { ...result, sha256: prepared.map((message) => Buffer.from(message.sha256).toString('hex')) }
}

/** Whether nothing was stored for certain. */
function isWithoutDoubt(error: UnavailableError): boolean {
  return error instanceof KeysMissing || error instanceof SessionKeyMissing || error instanceof AuditUnwritten
}
