import { placePayload } from '../../capture/large-payload.ts'
import type { RowSeal } from '../../crypto/row-seal.ts'
import { sha256 } from '../../model/messages/payload.ts'
import type { ArchiveStore } from '../../ports/archive-store.ts'
import { emptied, type ArchivedMessage } from '../../store/archive/archived-messages.ts'
import type { SessionRecord } from '../../store/archive/archived-session.ts'
import { openPayload } from '../payload-problem.ts'

interface Writer {
  readonly archive: ArchiveStore
  readonly seal: RowSeal | undefined
  /** Its participants are looked for as names. */
  readonly session: Pick<SessionRecord, 'source' | 'participants' | 'models_used'>
}

/**
 * A message that was anonymised after it was archived, without personal data: an older copy of an archive has it as it was. Only its
 * place is left of one that cannot be read.
 */
export async function anonymisedAgain(
  { archive, seal, session }: Writer,
  message: ArchivedMessage,
): Promise<ArchivedMessage> {
  const { record } = message
  const { payload_location: location } = record
  const bytes = location === undefined ? message.payload : await archive.get(location)
  const payload = location === undefined ? bytes : openPayload({ location, stored: bytes, seal })
  if (payload === null || payload === undefined) return emptied(message)
  // What looks for personal data is loaded for this alone.
  const { Anonymiser } = await import('../../sessions/anonymiser.ts')
  const { source, participants, models_used: modelsUsed } = session
  const utf8 = (text: Uint8Array | null) => (text === null ? null : Buffer.from(text).toString('utf8'))
  const said = await new Anonymiser({ source, participants, modelsUsed }).message({
    sender: record.sender,
    parentExternalId: record.parent_external_id ?? null,
    toolCallId: record.tool_call_id ?? null,
    mediaType: record.payload_media_type,
    text: utf8(message.text),
    metadata: utf8(message.metadata),
    payload,
  })
  const hash = sha256(said.payload)
  const placed = await placePayload(archive, { sha256: hash, payload: { bytes: said.payload } }, seal)
  const isLarge = 'location' in placed.payload
  return {
    record: {
      ...record,
      sender: said.sender,
      parent_external_id: said.parentExternalId ?? undefined,
      tool_call_id: said.toolCallId ?? undefined,
      payload_location: 'location' in placed.payload ? placed.payload.location : undefined,
      payload_bytes: said.payload.length,
      payload_sha256: hash.toString('hex'),
      payload_media_type: said.mediaType,
      anonymized_at: new Date().toISOString(),
    },
    payload: isLarge ? null : said.payload,
    text: said.text === null ? null : Buffer.from(said.text, 'utf8'),
    metadata: said.metadata === null ? null : Buffer.from(said.metadata, 'utf8'),
  }
}
