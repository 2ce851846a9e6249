import type { PendingQuery, Row, Sql } from 'postgres'

import { codeOf } from '../../errors.ts'
import { limits } from '../../limits.ts'
import { whereOpen } from '../access/session-access.ts'
import { calling } from '../audit/audit-log.ts'
import { storedBytes, storedHash } from './describe-save.ts'
import { SaveGroups, type Groupable } from './save-groups.ts'
import type { NewMessage, SaveRequest, SaveResult } from './save-messages.ts'

interface SavedRow {
  readonly seq: string | null
  readonly saved_at: Date
  readonly session_version: string
  readonly session_external_id: string | null
}

/** One message of a session that is there. */
interface Single extends Groupable {
  readonly request: SaveRequest
  readonly message: NewMessage
  readonly naming: PendingQuery<Row[]> | undefined
}

const uniqueViolation = '23505'
const byteaType = 17
/** Larger payloads would keep the others of their group waiting. */
const groupedBytesMax = 32_768
/** How long a group waits for a row that somebody else holds, before its members go on alone. */
const groupLockMs = 100

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
  const row = await callSaveMessage(sql, { request, message, naming, order: request.session.id })
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
async function callSaveMessage(sql: Sql, single: Single): Promise<SavedRow | undefined> {
  try {
    const { payload } = single.message
    const isLarge = 'bytes' in payload && payload.bytes.length > groupedBytesMax
    return isLarge ? (await saveGroup(sql, [single]))[0] : await groupsOf(sql, single).run(single)
  } catch (error) {
    if (codeOf(error) === uniqueViolation) return undefined
    throw error
  }
}

/** Those of a connection pool: with a viewer whom the function looks at itself, and without. */
const groups = new WeakMap<Sql, Map<boolean, SaveGroups<Single, SavedRow>>>()

function groupsOf(sql: Sql, { naming }: Single): SaveGroups<Single, SavedRow> {
  const ofPool = groups.get(sql) ?? new Map<boolean, SaveGroups<Single, SavedRow>>()
  groups.set(sql, ofPool)
  const isNamed = naming !== undefined
  const found = ofPool.get(isNamed) ?? new SaveGroups((members: readonly Single[]) => saveGroup(sql, members))
  ofPool.set(isNamed, found)
  return found
}

/** One after the other within one statement; undefined for those that their viewers may not write. */
async function saveGroup(sql: Sql, members: readonly Single[]): Promise<(SavedRow | undefined)[]> {
  const first =
    members.length === 1
      ? sql``
      : sql`
    select -1 as place, null::bigint as seq, null::timestamptz as saved_at, null::bigint as session_version, null::text as session_external_id
    from (select set_config('lock_timeout', ${String(groupLockMs)}, true) offset 0) patience union all`
  const all = members.flatMap((member, place) => [
    ...(place === 0 ? [] : [sql`union all`]),
    selectSaved(sql, member, place),
  ])
  const rows = await sql<(SavedRow & { readonly place: number })[]>`${first} ${all}`
  const byPlace = new Map(rows.map((row) => [row.place, row]))
  return members.map((_, place) => byPlace.get(place))
}

function selectSaved(sql: Sql, { request, message, naming }: Single, place: number): PendingQuery<Row[]> {
  const { payload, usage, toolsUsed = [] } = message
  const { seal } = request
  const stored = storedBytes(message, seal)
  const location = 'bytes' in payload ? null : payload.location
  const size = 'bytes' in payload ? payload.bytes.length : payload.sizeBytes
  // Of one type whether there are any or not: each combination of types would be a statement of its own.
  const bytes = (value: Uint8Array | null | undefined) => sql.typed(value ?? null, byteaType)
  return sql`
    select ${place}::int as place, (saved).* from (
      select save_message(${request.tenantId}, ${request.session.id}, ${naming !== undefined}, ${message.id},
          ${message.externalId ?? null}, ${message.parent ?? null}, ${message.timestamp ?? null}::text::timestamptz, ${message.role},
          ${message.sender}, ${message.model ?? null}, ${message.trust}, ${usage?.input ?? null}, ${usage?.output ?? null},
          ${usage?.cacheRead ?? null}, ${usage?.cacheWrite ?? null}, ${toolsUsed.length > 0 ? [...toolsUsed] : null},
          ${message.toolCallId ?? null}, ${message.mediaType}, ${storedHash(message, seal)}, ${bytes(stored.payload)}, ${location}, ${size},
          ${bytes(stored.text)}, ${bytes(stored.metadata)}, ${seal?.version ?? 0}, ${request.actor}, ${request.client},
          ${limits.sessionMessagesMax}, ${limits.sessionBytesMax}) as saved
      ${naming ?? calling(sql, request.call)} ${whereOpen(sql, request, { sessionId: request.session.id, action: 'write' })}
      -- Once, and not for each of its columns.
      offset 0
    ) once`
}
