import { loadPayload } from '../capture/large-payload.ts'
import { mayManage, requireSession } from '../capture/session-reference.ts'
import { ForbiddenError, NotFoundError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Caller } from '../model/access.ts'
import { looksLikeId } from '../model/ids.ts'
import { recordedDataNotice } from '../model/text/fence.ts'
import { checkName } from '../model/validate.ts'
import type { Database } from '../store/database.ts'
import { findMessage, type MessageRow } from '../store/messages.ts'
import { readSentiments } from '../store/search/search-units.ts'
import type { SessionRow } from '../store/session-row.ts'
import { fullMessage, type MessageBody, type MessageDocument } from './document.ts'
import { withFlags } from './message-flags.ts'
import { namesNote } from './names-note.ts'
import type { ReadDependencies } from './session-page.ts'

export interface MessageReply {
  readonly notice: string
  readonly session_id: string
  readonly message: MessageDocument
}

export interface MessageReference {
  readonly sessionId: string
  readonly messageId: string
}

/** One message whole, whatever its size, checked against its SHA-256. Both ids may be ours or the caller's own. */
export async function readMessage(
  dependencies: ReadDependencies,
  caller: Caller,
  reference: MessageReference,
): Promise<MessageReply> {
  const session = await requireSession(dependencies.database, caller, reference.sessionId)
  const externalId = checkName(reference.messageId, {
    field: 'message_id',
    charactersMax: limits.idCharactersMax,
    isRequired: true,
  })
  const id = looksLikeId(externalId) ? externalId.toLowerCase() : undefined
  const key = { tenantId: caller.tenantId, sessionId: session.id }
  const row = await findMessage(dependencies.database, key, { id, externalId })
  if (row === undefined) {
    throw new NotFoundError(`No message "${externalId}" in session "${reference.sessionId}"`, {
      remedy: 'Call get_session to see its messages',
    })
  }
  if (row.isRestricted === true && !(await mayManage(dependencies.database, caller, session.id)))
    throw new ForbiddenError(`Cannot read message "${externalId}" as its sender is restricted`, {
      remedy: 'Only the owner of the session may read it, or lift the restriction',
    })
  const sentiments = await dependencies.database.run((sql) =>
    readSentiments(sql, key, { fromSeq: row.seq, toSeq: row.seq }),
  )
  const body = { payload: await loadPayload(dependencies.archive, row) }
  const stored = { row: withFlags(row, body), body }
  const shown =
    caller.view === undefined
      ? stored
      : await withoutPersonalData(session, { ...stored, caller, database: dependencies.database })
  const note = caller.view === undefined ? undefined : await namesNote(dependencies, key)
  return {
    notice: note === undefined ? recordedDataNotice : `${recordedDataNotice} ${note}`,
    session_id: session.id,
    message: fullMessage(shown.row, shown.body, sentiments.get(row.seq) ?? null),
  }
}

interface Stored {
  readonly row: MessageRow
  readonly body: MessageBody
}

async function withoutPersonalData(
  session: SessionRow,
  { row, body, caller, database }: Stored & { readonly caller: Caller; readonly database: Database },
) {
  const { MessageView } = await import('./message-view.ts')
  const view = await MessageView.of(session, {
    database,
    view: 'redacted',
    tenantId: caller.tenantId,
    scope: 'session',
  })
  return await view.message(row, body)
}
