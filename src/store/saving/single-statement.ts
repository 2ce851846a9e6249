import { limits } from '../../limits.ts'

/**
 * What is told of each message, with the type that PostgreSQL takes each parameter for. The functions `save_message` and
 * `viewer_may_write`, which did this before, are for processes of the version before.
 */
const columns = {
  tenant: 'int',
  /** Whom the save is made for: nothing is stored where it is another tenant's. */
  viewer: 'int',
  principal: 'uuid',
  session: 'uuid',
  id: 'uuid',
  external_id: 'text',
  // postgres.js would read it as a date first.
  at: 'text::timestamptz',
  role: 'text',
  sender: 'text',
  model: 'text',
  trust: 'text',
  input: 'int',
  output: 'int',
  cache_read: 'int',
  cache_write: 'int',
  tools: 'text[]',
  tool_call: 'text',
  media_type: 'text',
  sha256: 'bytea',
  payload: 'bytea',
  location: 'text',
  bytes: 'bigint',
  text: 'bytea',
  metadata: 'bytea',
  key_version: 'int',
  actor: 'text',
  client: 'text',
  request: 'text',
  auth: 'text',
  token: 'uuid',
  origin: 'text',
  tool: 'text',
  policy: 'smallint',
  trace: 'text',
} as const satisfies Readonly<Record<string, string>>

export type SingleColumn = keyof typeof columns

const isColumn = (name: string): name is SingleColumn => name in columns
const allColumns = Object.keys(columns).filter(isColumn)

export interface SingleShape {
  /** How many messages. Of two of one session the second gets no row. */
  readonly size: number
  /** Whether one of them is saved by a principal, who needs a role where the session is shared. */
  readonly checksRole: boolean
  /** Whether one of them names a model, which may be another than the last. */
  readonly comparesModel: boolean
}

/** How long a group waits for a row that somebody else holds, before its members go on alone, in milliseconds. */
const groupLockMs = 100

export interface SingleStatement {
  readonly text: string
  /** What the parameters of each message are, one message after the other. */
  readonly columns: readonly SingleColumn[]
}

/**
 * The statement that stores one new message in each of several sessions that are there. Its rows: `place`, `seq`, `saved_at`,
 * `session_version`, `session_external_id`; none for a message that is not as simple as that, and nothing is stored of it.
 * One statement, and no function: for its few expressions PL/pgSQL took as much work as all that they were for. Alone, a
 * message is its parameters; several are a list.
 */
export function singleStatement({ size, checksRole, comparesModel }: SingleShape): SingleStatement {
  const isAlone = size === 1
  // PostgreSQL refuses a parameter that is not used.
  const used = isAlone ? new Set<SingleColumn>() : new Set(allColumns)
  const parameter = (column: SingleColumn, place: number) => {
    used.add(column)
    return `$${place * used.size + [...used].indexOf(column) + 1}::${columns[column]}`
  }
  const of = (column: SingleColumn) => (isAlone ? parameter(column, 0) : `g.${column}`)
  const row = (place: number) => `(${place}, ${allColumns.map((column) => parameter(column, place)).join(', ')})`
  const rows = () => Array.from({ length: size }, (_, place) => row(place)).join(', ')
  const given = isAlone ? '' : `given (place, ${allColumns.join(', ')}) as materialized (values ${rows()}),`
  const patience = isAlone ? '' : `, set_config('lock_timeout', '${groupLockMs}', true) as patience`
  const switched = comparesModel ? `former.last_model <> ${of('model')}` : 'false'
  const text = `
    with ${given} moment as materialized (select clock_timestamp()::timestamptz(3) as now${patience}),
    moved as (
      ${updatedSessions(of, { checksRole, comparesModel, switched })}
      returning ${isAlone ? '0 as place' : 'g.*'}, moment.now, s.last_seq, s.version, s.external_id as session_external_id,
        ${switched} as is_switched
    ), queued as (
      insert into outbox (tenant_id, topic, session_id, first_seq, last_seq)
      select ${of('tenant')}, 'index', ${of('session')}, g.last_seq, g.last_seq from moved g
    ), audited as (
      insert into audit_log (tenant_id, actor, actor_kind, client, action, object_kind, object_id, outcome, count, bytes,
        request_id, auth_method, token_id, origin, tool, policy_version, trace_id)
      select ${of('tenant')}, ${of('actor')}, 'principal', ${of('client')}, 'message.save', 'session', ${of('session')}::text, 'ok', 1,
        ${of('bytes')}, ${of('request')}, ${of('auth')}, ${of('token')}, ${of('origin')}, ${of('tool')}, ${of('policy')}, ${of('trace')}
      from moved g
    ), stored as (
      insert into messages (tenant_id, session_id, seq, id, external_id, timestamp, saved_at, role, sender, model, kind, trust,
        input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, tools_used, tool_call_id, context_switch, payload,
        payload_location, payload_bytes, payload_sha256, payload_media_type, text, metadata, key_version)
      select ${of('tenant')}, ${of('session')}, g.last_seq, ${of('id')}, ${of('external_id')}, coalesce(${of('at')}, g.now), g.now,
        ${of('role')}, ${of('sender')}, ${of('model')}, 'message', ${of('trust')}, ${of('input')}, ${of('output')}, ${of('cache_read')},
        ${of('cache_write')}, ${of('tools')}, ${of('tool_call')}, case when g.is_switched then 'model' end, ${of('payload')},
        ${of('location')}, ${of('bytes')}, ${of('sha256')}, ${of('media_type')}, ${of('text')}, ${of('metadata')}, ${of('key_version')}
      from moved g
    )
    select g.place, g.last_seq as seq, g.now as saved_at, g.version as session_version, g.session_external_id from moved g`
  return { text: text.replaceAll(/\s+/g, ' ').trim(), columns: [...used] }
}

/** What each session's row becomes. A session whose row has changed since the statement began is left out where its last model counts. */
function updatedSessions(
  of: (column: SingleColumn) => string,
  { checksRole, comparesModel, switched }: Omit<SingleShape, 'size'> & { readonly switched: string },
): string {
  const isList = of('id').startsWith('g.')
  const tokens = (total: string, column: SingleColumn) => `${total} = s.${total} + coalesce(${of(column)}, 0)`
  const active = `greatest(s.last_active_at, least(coalesce(${of('at')}, moment.now), moment.now))`
  const withName = (names: string, column: SingleColumn) =>
    `case when ${of(column)} = any (s.${names}) then s.${names} else with_names(s.${names}, array[${of(column)}]) end`
  const ofModel = comparesModel
    ? `models_used = case when ${of('model')} is null then s.models_used else ${withName('models_used', 'model')} end,
      last_model = coalesce(${of('model')}, s.last_model), context_switches = s.context_switches + case when ${switched} then 1 else 0 end,`
    : ''
  const roles =
    () => `select bool_or(r.principal_id = ${of('principal')} and r.role in ('owner', 'writer')) from session_grants r
    where r.tenant_id = ${of('tenant')} and r.session_id = ${of('session')}`
  return `
    update sessions s set last_seq = s.last_seq + 1, message_count = s.message_count + 1, payload_bytes = s.payload_bytes + ${of('bytes')},
      ${tokens('input_tokens', 'input')}, ${tokens('output_tokens', 'output')}, ${tokens('cache_read_tokens', 'cache_read')},
      ${tokens('cache_write_tokens', 'cache_write')}, tool_invocations = s.tool_invocations
        + case when ${of('role')} <> 'tool' then coalesce(cardinality(${of('tools')}), 0) else 0 end,
      created_at = least(s.created_at, ${of('at')}), last_active_at = ${active}, active_hour = date_trunc('hour', ${active}),
      closed_at = null, participants = ${withName('participants', 'sender')}, ${ofModel} last_message_id = ${of('id')},
      version = s.version + 1
    from moment${isList ? ', given g' : ''}${comparesModel ? ', sessions former' : ''}
    where ${of('viewer')} = ${of('tenant')} and s.tenant_id = ${of('tenant')} and s.id = ${of('session')}
      and s.key_version = ${of('key_version')} and s.erasing_at is null and s.last_seq < ${limits.sessionMessagesMax}
      and s.payload_bytes + ${of('bytes')} <= ${limits.sessionBytesMax}
      ${comparesModel ? `and former.tenant_id = ${of('tenant')} and former.id = ${of('session')} and former.version = s.version` : ''}
      ${checksRole ? `and (${of('principal')} is null or coalesce((${roles()}), true))` : ''}`
}
