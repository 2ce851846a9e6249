import { loadPayload } from '../capture/large-payload.ts'
import { explain, UnavailableError } from '../errors.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import type { MessageRow } from '../store/messages.ts'
import type { MessageBody } from './document.ts'

/**
 * The checked bytes of a message, or what is wrong with them: one damaged message must not hide the others. Each reply
 * says it in the place of the content.
 */
export async function messageBody(archive: ArchiveStore, message: MessageRow): Promise<MessageBody> {
  try {
    return { payload: await loadPayload(archive, message) }
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error
    return { error: explain(error) }
  }
}
