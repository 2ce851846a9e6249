import { idUnderHash } from '../capture/documents/entry-fields.ts'
import { loadPayload } from '../capture/large-payload.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import { archivedMessage } from '../store/archive/archived-messages.ts'
import type { Database } from '../store/database.ts'
import type { SessionKey } from '../store/messages.ts'
import { pagedMessages } from '../store/page-messages.ts'
import { afterNone, readMarks } from '../store/sync/lineage.ts'
import type { SyncedMessage } from '../store/sync/place-messages.ts'

/** Of the messages that one answer carries; a message above it goes alone. */
const answerBytesMax = 4 * 1024 * 1024

/**
 * Messages as another store gets them, with all their bytes and after which one each was saved. Fewer than were asked for where they
 * are large, but at least one of those that are there. Throws UnavailableError where the bytes of one cannot be had, naming it.
 */
export async function readForOther(
  { database, archive }: { readonly database: Database; readonly archive: ArchiveStore },
  key: SessionKey,
  range: { readonly fromSeq: number; readonly toSeq: number },
): Promise<SyncedMessage[]> {
  const pages = pagedMessages(database, key, { ...range, pageBytesMax: answerBytesMax })
  const { value: rows } = await pages.next()
  const [first] = rows ?? []
  if (rows === undefined || first === undefined) return []
  const marks = await readMarks(database, key, { fromSeq: first.seq, limit: rows.length })
  const follows = new Map(marks.map((mark) => [mark.id, mark.follows]))
  const messages: SyncedMessage[] = []
  let bytes = 0
  for (const row of rows) {
    if (messages.length > 0 && bytes + row.payloadBytes > answerBytesMax) break
    bytes += row.payloadBytes
    const { record, text, metadata } = archivedMessage(row)
    const payload = row.kind === 'erased' ? new Uint8Array() : await loadPayload(archive, row)
    const { payloadSha256: hash, seal } = row
    messages.push({
      record: {
        ...record,
        // What is named by its bytes is named by their hash under a key of this store.
        external_id:
          record.external_id === undefined || seal === undefined
            ? record.external_id
            : idUnderHash(record.external_id, { from: seal.mask(hash), to: hash }),
        payload_location: undefined,
        follows_id: follows.get(row.id) ?? afterNone,
      },
      payload,
      text,
      metadata,
    })
  }
  return messages
}
