import type { PendingQuery, Row, Sql } from 'postgres'

import { codeOf } from '../errors.ts'
import { limits } from '../limits.ts'
import { calling } from './audit-log.ts'
import { storedBytes, storedHash } from './describe-save.ts'
import type { NewMessage, SaveRequest, SaveResult } from './save-messages.ts'
import { whereOpen } from './session-access.ts'

interface SavedRow {
  readonly seq: string | null
  readonly saved_at: Date
  readonly session_version: string
  readonly session_external_id: string | null
}

const uniqueViolation = '23505'

/** The message of a request that `save_message` takes: what a client says in a conversation, one at a time. */
function singleOf({ session, messages, revise }: SaveRequest): NewMessage | undefined {
  const [message] = messages
  if (revise || session.create || messages.length > 1) return undefined
  return message?.kind === 'message' && message.contextSwitch === undefined && message.copied !== true
    ? message
    : undefined
}

/**
 * Stores one new message of a session that is there, by less work than a batch takes. Undefined where it is not that simple,
 * and nothing is stored then: `saveMessages` says what it is.
 */
export async function saveSingle(
  sql: Sql,
  request: SaveRequest,
  naming: PendingQuery<Row[]> | undefined,
): Promise<SaveResult | undefined> {
  const message = singleOf(request)
  if (message === undefined) return undefined
  const row = await callSaveMessage(sql, { request, message }, naming)
  if (row === undefined || row.seq === null) return undefined
  const saved = { id: message.id, seq: Number(row.seq), savedAt: row.saved_at.toISOString(), duplicate: false }
  return {
    sessionId: request.session.id,
    externalId: row.session_external_id,
    created: false,
    version: Number(row.session_version),
    messages: [saved],
  }
}

/** Undefined where the message is known, and where the viewer may not write. */
async function callSaveMessage(
  sql: Sql,
  { request, message }: { readonly request: SaveRequest; readonly message: NewMessage },
  naming: PendingQuery<Row[]> | undefined,
): Promise<SavedRow | undefined> {
  const { payload, usage, toolsUsed = [] } = message
  const { seal } = request
  const stored = storedBytes(message, seal)
  const location = 'bytes' in payload ? null : payload.location
  const size = 'bytes' in payload ? payload.bytes.length : payload.sizeBytes
  try {
    const rows = await sql<SavedRow[]>`
      select (saved).* from (
        select save_message(${request.tenantId}, ${request.session.id}, ${naming !== undefined}, ${message.id},
            ${message.externalId ?? null}, ${message.parent ?? null}, ${message.timestamp ?? null}::text::timestamptz, ${message.role},
            ${message.sender}, ${message.model ?? null}, ${message.trust}, ${usage?.input ?? null}, ${usage?.output ?? null},
            ${usage?.cacheRead ?? null}, ${usage?.cacheWrite ?? null}, ${toolsUsed.length > 0 ? [...toolsUsed] : null},
            ${message.toolCallId ?? null}, ${message.mediaType}, ${storedHash(message, seal)}, ${stored.payload ?? null}, ${location}, ${size},
            ${stored.text ?? null}, ${stored.metadata ?? null}, ${seal?.version ?? 0}, ${request.actor}, ${request.client},
            ${limits.sessionMessagesMax}, ${limits.sessionBytesMax}) as saved
        ${naming ?? calling(sql, request.call)} ${whereOpen(sql, request, { sessionId: request.session.id, action: 'write' })}
        -- Once, and not for each of its columns.
        offset 0
      ) once`
    return rows[0]
  } catch (error) {
    if (codeOf(error) === uniqueViolation) return undefined
    throw error
  }
}
