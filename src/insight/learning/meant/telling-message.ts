import { loadPayload } from '../../../capture/large-payload.ts'
import { DamagedPayload } from '../../../errors.ts'
import { isFlagged } from '../../../model/messages/message-flags.ts'
import type { ArchiveStore } from '../../../ports/archive-store.ts'
import { flagsOfMessage } from '../../../sessions/message-flags.ts'
import type { MessageRow } from '../../../store/messages.ts'
import type { TellingMessage } from '../extract-facts.ts'
import { assertedIn } from './asserted.ts'

/**
 * A message as facts are looked for in it; undefined where none may be: of other roles, and of what is flagged, as text that
 * instructs a model must not become what a model is told, nor a secret be repeated. Of what is damaged nobody knows.
 */
export async function tellingMessage(
  archive: ArchiveStore,
  row: MessageRow,
): Promise<TellingMessage | 'damaged' | undefined> {
  if (row.kind !== 'message' || (row.role !== 'user' && row.role !== 'assistant')) return undefined
  let payload: Uint8Array
  try {
    payload = await loadPayload(archive, row)
  } catch (error) {
    // A damaged message is reported by `verify` and by every read.
    if (error instanceof DamagedPayload) return 'damaged'
    throw error
  }
  if (isFlagged(row.flags ?? flagsOfMessage(row, payload))) return undefined
  const { id, seq, role, sender, timestamp } = row
  return { id, seq, role, sender, timestamp, asserted: assertedIn(row, payload) }
}
