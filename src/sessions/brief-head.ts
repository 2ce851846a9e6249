import type { SessionRow } from '../store/session-row.ts'
import { sessionHead, type SessionHead } from './document.ts'
import { cutText, jsonStringBytes, prettyBytes } from './json-size.ts'

const namesMax = 50
/** What title, participants, models, tags and metadata take at most, each, in a reply that holds no messages. */
export const headShareBytes = 2_000
/** A name in a list of a head: line break, indentation and comma beside its JSON. */
const nameOverheadBytes = 10
/** Below this a list of names says too little. */
const shareBytesMin = 200

function cutNames(names: readonly string[], bytesMax: number): readonly string[] {
  let bytes = 0
  const kept = names.slice(0, namesMax)
  const end = kept.findIndex((name) => {
    bytes += jsonStringBytes(name) + nameOverheadBytes
    return bytes > bytesMax
  })
  return end === -1 ? kept : kept.slice(0, end)
}

/**
 * The head of a session for a reply of bounded length: title, participants, models, tags and metadata take at most
 * `shareBytesMax` each (and 50 names). What was left out is counted in `…_more` and `metadata_bytes`; exports have it all.
 */
export function briefHead(session: SessionRow, shareBytesMax: number): SessionHead {
  const head = sessionHead(session)
  const share = Math.max(shareBytesMax, shareBytesMin)
  const participants = cutNames(head.participants, share)
  const models = cutNames(head.models_used, share)
  const tags = cutNames(head.tags ?? [], share)
  const { metadata, ...rest } = head
  const metadataBytes = metadata === undefined ? 0 : prettyBytes(metadata, { depth: 1 })
  const more = {
    participants_more: head.participants.length - participants.length,
    models_used_more: head.models_used.length - models.length,
    tags_more: (head.tags?.length ?? 0) - tags.length,
    metadata_bytes: metadataBytes > share ? metadataBytes : 0,
  }
  return {
    ...rest,
    ...(head.title === undefined ? {} : { title: cutText(head.title, share) }),
    participants,
    models_used: models,
    ...(head.tags === undefined ? {} : { tags }),
    ...(metadata === undefined || metadataBytes > share ? {} : { metadata }),
    ...Object.fromEntries(Object.entries(more).filter(([, count]) => count > 0)),
  }
}
