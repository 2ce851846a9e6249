import type { Sql } from 'postgres'

import type { RowSeal } from '../../crypto/row-seal.ts'
import { ConflictError, ErasedError, ForbiddenError, LimitError, NotFoundError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import type { Viewer } from '../../model/access.ts'
import type { ContextSwitch, Role, TokenUsage, Trust } from '../../model/messages/message.ts'
import { naming } from '../access/naming.ts'
import { accessRemedy, whereOpen } from '../access/session-access.ts'
import { calling } from '../audit/audit-log.ts'
import type { Database } from '../database.ts'
import type { Queries } from '../rows.ts'
import { describeSave } from './describe-save.ts'
import { mayBegin } from './may-begin.ts'
import { saveSingle } from './save-single.ts'

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
  readonly createdAt?: string | undefined
  readonly parentExternalId?: string
  /** Hashes of its names: where one of them is a tombstone, it is not made (`store/erasure/tombstones.ts`). */
  readonly tombstones?: readonly string[]
}

export interface SaveRequest extends Viewer {
  readonly actor: string
  readonly client: string
  readonly session: SaveTarget
  readonly messages: readonly NewMessage[]
  /** What an id that is already used for other bytes means: a caller's mistake (false), or a newer version (true). */
  readonly revise: boolean
  /** What the session's rows are sealed with; absent where they are not. */
  readonly seal?: RowSeal | undefined
  /** Where some of its messages are sealed and others not: what hashes as the others do. */
  readonly former?: RowSeal | 'plain' | undefined
}

/**
 * The session that a save goes to is not sealed as the request was: another process made it, or changed its key. Nothing is
 * stored. To be tried again under the seal of `sessionId`, the session that it goes to.
 */
export class OtherSeal extends Error {
  override readonly name = 'OtherSeal'
  readonly sessionId: string

  constructor(sessionId: string) {
    super(`Session ${sessionId} has another seal`)
    this.sessionId = sessionId
  }
}

/**
 * The key that a new session was to be sealed with is not there any more: it was made a moment ago, on a server whose standby
 * had not heard of it when it took over. Or new sessions are sealed by now, or not any more. Nothing is stored. To be tried
 * again with another.
 */
export class LostKey extends Error {
  override readonly name = 'LostKey'
}

/**
 * A message that is there already is not sealed as the request is, as its session is being encrypted or decrypted. Nothing is
 * stored. To be tried again with `former`, what opens that version.
 */
export class SealedOtherwise extends Error {
  override readonly name = 'SealedOtherwise'
  readonly keyVersion: number

  constructor(keyVersion: number) {
    super('A message that is there is sealed otherwise')
    this.keyVersion = keyVersion
  }
}

export interface SavedMessage {
  readonly id: string
  readonly seq: number
  /** ISO 8601. */
  readonly savedAt: string
  readonly duplicate: boolean
  /** Of an import: it was erased or anonymised here before, and was not stored again. */
  readonly erased?: boolean
}

export interface SaveResult {
  readonly sessionId: string
  readonly externalId: string | null
  readonly created: boolean
  readonly version: number
  readonly messages: readonly SavedMessage[]
}

interface FunctionResult {
  readonly session_id: string
  readonly external_id: string | null
  readonly created: boolean
  readonly version: number
  readonly saved_at: string
  readonly first_seq?: number
  readonly messages?: readonly { id: string; seq: number; saved_at: string; duplicate: boolean; erased?: boolean }[]
}

/** Where all messages were new, the function says only where they begin. */
function savedMessages(result: FunctionResult, request: SaveRequest): SavedMessage[] {
  const { first_seq: firstSeq, messages } = result
  const savedAt = (time: string) => new Date(time).toISOString()
  if (firstSeq !== undefined) {
    const at = savedAt(result.saved_at)
    return request.messages.map(({ id }, index) => ({ id, seq: firstSeq + index, savedAt: at, duplicate: false }))
  }
  return (messages ?? []).map(({ saved_at: time, ...message }) => ({ ...message, savedAt: savedAt(time) }))
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
    case 'VB425':
      return new SealedOtherwise(Number(detail))
    case 'VB426':
      return new OtherSeal(detail)
    case 'VB410':
      return erasedBefore(detail, request, error)
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

/** What the function says of a session that is there still: its SQLSTATE and its detail are those of one that was erased. */
const beingErased = 'session is being erased'

function erasedBefore(detail: string, { session, messages }: SaveRequest, cause: Error): ErasedError {
  const [what, which] = detail.split(' ')
  const name = session.externalId ?? session.id
  if (what === 'session' && cause.message === beingErased)
    return new ErasedError(`Cannot save to session "${name}" as it is being erased since ${which}`, {
      remedy: 'Use another session_id: what is saved to this one would go with it',
      cause,
    })
  if (what === 'session')
    return new ErasedError(`Cannot save to session "${name}" as it was erased on ${which}`, {
      remedy: 'Use another session_id: what was erased is not begun again under its old name',
      cause,
    })
  const message = messages[Number(which)]
  const done = what === 'anonymised' ? 'anonymised in this session' : 'erased from this session'
  return new ErasedError(`Cannot save message "${message?.externalId ?? message?.id}" as it was ${done}`, {
    remedy: 'Use another message_id if it is to be stored all the same',
    cause,
  })
}

/**
 * Stores up to `limits.batchMessagesMax` messages of one session, all or none, durably, in one statement.
 * The database's viewer is who it acts for, whatever the request says.
 * Idempotent: a message whose id (or external id) is stored already with the same bytes is answered with the first
 * answer. Errors: NotFoundError, ForbiddenError, ConflictError, LimitError; nothing is stored then.
 */
export async function saveMessages(
  sql: Sql,
  request: SaveRequest,
  database: Pick<Database, 'kind' | 'viewer'>,
): Promise<SaveResult> {
  return (await saveSingle(sql, request, database)) ?? (await saveBatch(sql, request, database.viewer))
}

/** As `saveMessages`, by a statement of its own: as a part of a transaction, too. */
export async function saveBatch(sql: Queries, request: SaveRequest, viewer?: Viewer): Promise<SaveResult> {
  const { session, messages, totals, bytes } = describeSave(request)
  try {
    const rows = await sql<{ may_begin: boolean; result: FunctionResult | null }[]>`
      select ${mayBegin(sql, request)} as may_begin, case when ${mayBegin(sql, request)} then ${viewer === undefined ? sql`save_messages` : sql`save_messages_as_viewer`}(${request.tenantId}, ${session}::text::jsonb, ${messages}::text::jsonb, ${totals}::text::jsonb, ${bytes},
        ${request.revise}, ${request.actor}, ${request.client}, ${limits.sessionMessagesMax}, ${limits.sessionBytesMax}) end as result
      ${viewer === undefined ? calling(sql, request.call) : naming(sql, viewer)} ${whereOpen(sql, request, { sessionId: request.session.id, action: 'write' })}`
    if (rows[0]?.may_begin === false) throw new LostKey(`Session ${request.session.id} is to have another key`)
    const result = rows[0]?.result
    // SQL's null too: the session was shared with others while the statement was on its way.
    if (result === undefined || result === null)
      throw new ForbiddenError(`Cannot save to session "${request.session.id}" as you have no role in it that may`, {
        remedy: accessRemedy,
      })
    return {
      sessionId: result.session_id,
      externalId: result.external_id,
      created: result.created,
      version: result.version,
      messages: savedMessages(result, request),
    }
  } catch (error) {
    throw refusal(error, request) ?? error
  }
}
