import { limits } from '../../limits.ts'
import { newId } from '../../model/ids.ts'
import { trustOfRole } from '../../model/messages/message.ts'
import { sha256 } from '../../model/messages/payload.ts'
import type { TranscriptEntry } from '../../transcripts/format.ts'
import type { PreparedMessage } from '../large-payload.ts'
import { cleanId, cleanName, mediaTypeOf, senderOf, storedText, usageOf } from './entry-fields.ts'

/** An entry as a message to be stored; without its id where that follows from its hash. */
export function entryMessage(entry: TranscriptEntry, format: string): PreparedMessage {
  const hash = sha256(entry.bytes)
  const usage = usageOf(entry)
  const text = storedText(entry)
  return {
    id: newId(),
    ...(entry.id === undefined ? {} : { externalId: cleanId(entry.id) }),
    ...(entry.parentId === undefined ? {} : { parent: cleanId(entry.parentId) }),
    ...(entry.timestamp === undefined ? {} : { timestamp: entry.timestamp }),
    role: entry.role,
    sender: senderOf(entry, format),
    ...(entry.model === undefined || entry.model.length === 0
      ? {}
      : { model: cleanName(entry.model, limits.nameCharactersMax) }),
    kind: entry.kind,
    trust: trustOfRole(entry.role),
    ...(usage === undefined ? {} : { usage }),
    toolsUsed: entry.toolsUsed
      .filter((tool) => tool.length > 0)
      .map((tool) => cleanName(tool, limits.nameCharactersMax)),
    ...(entry.toolCallId === undefined ? {} : { toolCallId: cleanName(entry.toolCallId, limits.nameCharactersMax) }),
    ...(entry.contextSwitch === undefined ? {} : { contextSwitch: entry.contextSwitch }),
    ...(entry.copied === true ? { copied: true } : {}),
    mediaType: mediaTypeOf(entry),
    sha256: hash,
    payload: { bytes: entry.bytes },
    ...(text === undefined ? {} : { text }),
  }
}
