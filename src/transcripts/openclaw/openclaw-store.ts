import { wholeFile } from '../bytes/file-bytes.ts'
import { damaged, type EntryDraft, type SessionDraft } from '../entry-builder.ts'
import { field, isoTime, listField, textField } from '../fields.ts'
import type { TranscriptEvent } from '../format.ts'
import { jsonContainer } from '../json/json-spans.ts'
import { parseJson } from '../json/json-value.ts'
import { SpanWriter } from '../span-writer.ts'
import { isIncognitoKey, openclawSessionId } from './openclaw-rows.ts'

const incognitoValue = Buffer.from('null')

/**
 * The events of `sessions.json`: each value of the map is an event of its session. Its token counts are left out on
 * purpose, because they are those of the last run only; totals come from the messages.
 */
export async function* openclawStoreEvents(path: string, agentId: string): AsyncGenerator<TranscriptEvent> {
  const bytes = await wholeFile(path)
  const writer = new SpanWriter()
  const map = jsonContainer(bytes)
  const fallback = openclawSessionId(agentId, 'sessions.json')
  let at = 0
  for (const member of map?.children ?? []) {
    writer.skip(bytes.subarray(at, member.start))
    at = member.end
    const value = bytes.subarray(member.start, member.end)
    const parsed = parseJson(value)
    const head = parsed.ok ? sessionHead(parsed.value, member.key, agentId) : undefined
    if (head?.incognito === true) {
      // Not even its bytes are captured: the file comes back with null in its place.
      writer.skip(incognitoValue)
      continue
    }
    if (head === undefined)
      yield* writer.entry(fallback, value, parsed.ok ? { kind: 'unknown' } : damaged(parsed.problem))
    else
      yield* writer.conversation({
        bytes: value,
        head,
        spans: [{ start: 0, end: value.length, entry: storeEntry(parsed) }],
      })
  }
  const rest = bytes.subarray(at)
  if (map?.complete !== true && rest.length > 0)
    yield* writer.entry(fallback, rest, damaged('The map of sessions breaks off'))
  else writer.skip(rest)
  yield writer.end()
}

/** What a session entry (a value of `sessions.json`, or `entry_json` of the database) says of its session. */
export function sessionHead(entry: unknown, sessionKey: string | undefined, agentId: string): SessionDraft | undefined {
  const sessionId = textField(entry, 'sessionId')
  if (sessionId === undefined) return undefined
  const participants = listField(entry, 'participants').map(
    (actor) => textField(actor, 'name') ?? textField(actor, 'id'),
  )
  const named = participants.filter((name) => name !== undefined)
  return {
    id: openclawSessionId(agentId, sessionId),
    title: textField(entry, 'displayName') ?? textField(entry, 'label') ?? textField(entry, 'subject'),
    participants: named.length === 0 ? undefined : named,
    metadata: {
      sessionKey,
      channel: textField(entry, 'channel') ?? textField(entry, 'lastChannel'),
      chatType: textField(entry, 'chatType'),
    },
    incognito: isIncognitoKey(sessionKey) || field(entry, 'incognito') === true,
  }
}

/** It has no id: the same key stands for other content at the next look. */
function storeEntry(parsed: ReturnType<typeof parseJson>): EntryDraft {
  const value = parsed.ok ? parsed.value : undefined
  return {
    kind: 'event',
    timestamp: isoTime(field(value, 'updatedAt')),
    model: textField(value, 'model'),
  }
}
