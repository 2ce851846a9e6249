import { loadPayload } from '../capture/large-payload.ts'
import { explain, UnavailableError } from '../errors.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import type { MessageRow } from '../store/messages.ts'
import type { MessageBody } from './document.ts'

/** What stands in the place of a restricted message for who may not read it. */
const withheldError =
  'This message is restricted: it is stored and not to be used. Only the owner of the session may read it'

/**
 * The checked bytes of a message, or what is wrong with them: one damaged message must not hide the others. Each reply
 * says it in the place of the content.
 */
export async function messageBody(archive: ArchiveStore, message: MessageRow): Promise<MessageBody> {
  if (message.isWithheld === true) return { error: withheldError }
  try {
    return { payload: await loadPayload(archive, message) }
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error
    return { error: explain(error) }
  }
}

/** A message as one may read it who may not manage its session: of a restricted one that it is there, and whose it is. */
export function withheldFrom(message: MessageRow): MessageRow {
  if (message.isRestricted !== true) return message
  const empty = {
    payload: null,
    text: null,
    metadata: null,
    toolsUsed: null,
    payloadSha256: new Uint8Array(),
    flags: {},
  }
  return { ...message, ...empty, isWithheld: true }
}
