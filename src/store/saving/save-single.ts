import type { ParameterOrJSON, Sql } from 'postgres'

import type { Viewer } from '../../model/access.ts'
import { mayBeOfAuditLog } from '../audit/audit-unwritten.ts'
import type { Database } from '../database.ts'
import { storedBytes, storedHash } from './describe-save.ts'
import { SaveGroups, type Groupable } from './save-groups.ts'
import type { NewMessage, SaveRequest, SaveResult } from './save-messages.ts'
import { singleStatement, type SingleColumn, type SingleShape, type SingleStatement } from './single-statement.ts'

interface SavedRow {
  readonly place: number
  readonly seq: string
  readonly saved_at: Date
  readonly session_version: string
  readonly session_external_id: string | null
}

/** One message of a session that is there. */
interface Single extends Groupable {
  readonly request: SaveRequest
  readonly message: NewMessage
  readonly viewer: Viewer
}

const byteaType = 17
/** Larger payloads would keep the others of their group waiting. */
const groupedBytesMax = 32_768

/**
 * The message of a request that `save_message` takes: what a client says in a conversation, one at a time. What it is an answer to
 * may be stored while its session's row is waited for, which one statement would not see.
 */
function singleOf({ session, messages, revise }: SaveRequest): NewMessage | undefined {
  const [message] = messages
  if (revise || session.create || messages.length > 1) return undefined
  return message?.kind === 'message' &&
    message.parent === undefined &&
    message.contextSwitch === undefined &&
    message.copied !== true
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
  { kind, viewer = request }: Pick<Database, 'kind' | 'viewer'>,
): Promise<SaveResult | undefined> {
  const message = singleOf(request)
  if (message === undefined) return undefined
  const row = await storeSingle(sql, { request, message, viewer, order: request.session.id }, kind)
  if (row === undefined) return undefined
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
async function storeSingle(sql: Sql, single: Single, kind: Database['kind']): Promise<SavedRow | undefined> {
  try {
    const { payload } = single.message
    const isLarge = 'bytes' in payload && payload.bytes.length > groupedBytesMax
    return isLarge ? (await saveGroup(sql, [single]))[0] : await groupsOf(sql, kind).run(single)
  } catch (error) {
    // That a message is known, and what the audit log refused, the function of a batch tells: nothing is stored yet.
    if (mayBeOfAuditLog(error)) return undefined
    throw error
  }
}

/** Those of a connection pool. */
const groups = new WeakMap<Sql, SaveGroups<Single, SavedRow>>()

/** Groups on their way at once: more of them took no more messages a second, and connections from what else is asked. */
const groupsMax = { server: 4, embedded: 1 } as const satisfies Record<Database['kind'], number>

function groupsOf(sql: Sql, kind: Database['kind']): SaveGroups<Single, SavedRow> {
  const found =
    groups.get(sql) ?? new SaveGroups((members: readonly Single[]) => saveGroup(sql, members), groupsMax[kind])
  groups.set(sql, found)
  return found
}

/** All or none; undefined for those that are not as simple, or that their viewers may not write. */
async function saveGroup(sql: Sql, members: readonly Single[]): Promise<(SavedRow | undefined)[]> {
  const shape = {
    size: members.length,
    checksRole: members.some(({ viewer, request }) => (viewer.principalId ?? request.principalId) !== undefined),
    comparesModel: members.some(({ message }) => message.model !== undefined),
  }
  const { text, columns } = statementOf(shape)
  const parameters = members.flatMap((member) => {
    const values = valuesOf(sql, member)
    return columns.map((column) => values[column] ?? null)
  })
  const rows = await sql.unsafe<SavedRow[]>(text, parameters, { prepare: true })
  const byPlace = new Map(rows.map((row) => [row.place, row]))
  return members.map((_, place) => byPlace.get(place))
}

const statements = new Map<string, SingleStatement>()

function statementOf(shape: SingleShape): SingleStatement {
  const key = `${shape.size} ${shape.checksRole} ${shape.comparesModel}`
  const statement = statements.get(key) ?? singleStatement(shape)
  statements.set(key, statement)
  return statement
}

type Values = Readonly<Record<SingleColumn, ParameterOrJSON<never> | undefined>>

function valuesOf(sql: Sql, { request, message, viewer }: Single): Values {
  const { payload, usage, toolsUsed = [] } = message
  const { seal } = request
  const stored = storedBytes(message, seal)
  const call = (viewer.call ?? request.call)?.columns
  // Of one type whether there are any or not: each combination of types would be a statement of its own.
  const bytes = (value: Uint8Array | undefined) => sql.typed(value ?? null, byteaType)
  return {
    tenant: request.tenantId,
    viewer: viewer.tenantId,
    principal: viewer.principalId ?? request.principalId,
    session: request.session.id,
    id: message.id,
    external_id: message.externalId,
    at: message.timestamp,
    role: message.role,
    sender: message.sender,
    model: message.model,
    trust: message.trust,
    input: usage?.input,
    output: usage?.output,
    cache_read: usage?.cacheRead,
    cache_write: usage?.cacheWrite,
    tools: toolsUsed.length > 0 ? [...toolsUsed] : null,
    tool_call: message.toolCallId,
    media_type: message.mediaType,
    sha256: bytes(storedHash(message, seal)),
    payload: bytes(stored.payload),
    location: 'bytes' in payload ? null : payload.location,
    bytes: 'bytes' in payload ? payload.bytes.length : payload.sizeBytes,
    text: bytes(stored.text),
    metadata: bytes(stored.metadata),
    key_version: seal?.version ?? 0,
    actor: request.actor,
    client: request.client,
    request: call?.request,
    auth: call?.auth,
    token: call?.token,
    origin: call?.origin,
    tool: call?.tool,
    policy: call?.policy,
    trace: call?.trace,
  }
}
