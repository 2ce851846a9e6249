import type { TransactionSql } from 'postgres'

import type { RowSeal } from '../../crypto/row-seal.ts'
import { insertSessionRecord, type SessionRecord } from '../archive/archived-session.ts'
import type { SessionKey } from '../messages.ts'
import type { Queries } from '../rows.ts'

/** A session that is locked until the transaction ends. */
export interface LockedHead {
  readonly lastSeq: number
  /** Of its key; 0 where it is not sealed. */
  readonly keyVersion: number
  /** As `sessions.version`. */
  readonly version: number
}

export async function lockHead(sql: TransactionSql, key: SessionKey): Promise<LockedHead | undefined> {
  const [row] = await sql<{ last_seq: string; key_version: number; version: string }[]>`
    select last_seq, key_version, version from sessions where tenant_id = ${key.tenantId} and id = ${key.sessionId} for update`
  return row === undefined
    ? undefined
    : { lastSeq: Number(row.last_seq), keyVersion: row.key_version, version: Number(row.version) }
}

/** What a session says of its messages where it has none. */
const noTotals = {
  message_count: 0,
  payload_bytes: 0,
  input_tokens: 0,
  output_tokens: 0,
  cache_read_tokens: 0,
  cache_write_tokens: 0,
  tool_invocations: 0,
  context_switches: 0,
  participants: [],
  models_used: [],
  last_model: null,
} satisfies Partial<SessionRecord>
const totals = Object.keys(noTotals)

/** The name of a session whose own another one has. */
function otherName(name: string, id: string): string {
  return name.endsWith(`#${id}`) ? name : `${name}#${id}`
}

/** The name that a session was begun under. */
export function firstName({ id, external_id: name }: Pick<SessionRecord, 'id' | 'external_id'>): string | null {
  const behind = `#${id}`
  return name?.endsWith(behind) === true ? name.slice(0, -behind.length) : name
}

/**
 * Makes a session as another store has it, without messages, and without what was said of it: that comes as its edits do. Where two stores
 * gave two sessions one name, that with the lower id has it, and the other its own id behind, wherever they meet. Says whether another one
 * had its name here.
 */
export async function insertSyncedSession(
  sql: TransactionSql,
  tenantId: number,
  { record, seal }: { readonly record: SessionRecord; readonly seal: RowSeal | undefined },
): Promise<boolean> {
  const { id, source, external_id: name } = record
  const holder = name === null ? undefined : await holderOf(sql, tenantId, { source, name })
  const isNamesake = holder !== undefined && holder !== id
  let ownName = name
  if (name !== null && isNamesake) {
    if (holder < id) ownName = otherName(name, id)
    else
      await sql`
        update sessions set external_id = ${otherName(name, holder)}, version = version + 1
        where tenant_id = ${tenantId} and id = ${holder}`
  }
  const session: SessionRecord = {
    ...record,
    ...noTotals,
    external_id: ownName,
    title: null,
    metadata: null,
    tags: [],
    closed_at: null,
    last_seq: 0,
    last_message_id: null,
    retention_policy_id: null,
    // Importers take no title from messages of a session of which some were erased.
    erasures: Math.min(record.erasures, 1),
    version: 1,
  }
  await insertSessionRecord(sql, tenantId, { session, summaries: [], seal })
  return isNamesake
}

/** Which session has a name; it is locked until the transaction ends. */
export async function holderOf(
  sql: Queries,
  tenantId: number,
  { source, name }: { readonly source: string; readonly name: string },
): Promise<string | undefined> {
  const [row] = await sql<{ id: string }[]>`
    select id from sessions where tenant_id = ${tenantId} and source = ${source} and external_id = ${name} for update`
  return row?.id
}

const namesMax = 1_000

/** Notes that so many messages came to a session, and which is the last one by now: what is saved next has the number after it. */
export async function setLast(sql: Queries, { tenantId, sessionId }: SessionKey, inserted: number): Promise<void> {
  if (inserted === 0) return
  await sql`
    update sessions s set last_seq = s.last_seq + ${inserted}::bigint, message_count = s.message_count + ${inserted}::bigint,
      last_message_id = (select id from messages m where m.tenant_id = ${tenantId} and m.session_id = ${sessionId}
        and m.seq = s.last_seq + ${inserted}::bigint)
    where s.tenant_id = ${tenantId} and s.id = ${sessionId}`
}

export async function noteChanged(sql: Queries, { tenantId, sessionId }: SessionKey): Promise<void> {
  await sql`update sessions set version = version + 1 where tenant_id = ${tenantId} and id = ${sessionId}`
}

/**
 * Counts anew what a session says of its messages, from all of them. A message that its import did not count, as another session holds
 * it too, counts then.
 */
export async function recountSession(sql: Queries, { tenantId, sessionId }: SessionKey): Promise<void> {
  const names = (column: 'sender' | 'model') => sql`array(
    select ${sql(column)} from messages where tenant_id = ${tenantId} and session_id = ${sessionId} and kind = 'message'
      and ${sql(column)} is not null group by ${sql(column)} order by min(seq) limit ${namesMax})`
  await sql`
    update sessions s set message_count = t.messages, payload_bytes = t.bytes, input_tokens = t.input, output_tokens = t.output,
      cache_read_tokens = t.cache_read, cache_write_tokens = t.cache_write, tool_invocations = t.tools, context_switches = t.switches,
      last_seq = t.last, participants = ${names('sender')}, models_used = ${names('model')},
      last_model = (select model from messages where tenant_id = ${tenantId} and session_id = ${sessionId} and model is not null
        order by seq desc limit 1),
      last_message_id = (select id from messages where tenant_id = ${tenantId} and session_id = ${sessionId} and seq = t.last)
    from (
      select count(*) as messages, coalesce(sum(payload_bytes), 0) as bytes, coalesce(sum(input_tokens), 0) as input,
        coalesce(sum(output_tokens), 0) as output, coalesce(sum(cache_read_tokens), 0) as cache_read,
        coalesce(sum(cache_write_tokens), 0) as cache_write,
        coalesce(sum(cardinality(tools_used)) filter (where role <> 'tool'), 0) as tools,
        count(context_switch) as switches, coalesce(max(seq), 0) as last
      from messages where tenant_id = ${tenantId} and session_id = ${sessionId}
    ) t
    where s.tenant_id = ${tenantId} and s.id = ${sessionId}`
}

/** Takes over what another store has counted of the same messages. */
export async function adoptTotals(
  sql: Queries,
  { tenantId, sessionId }: SessionKey,
  record: SessionRecord,
): Promise<void> {
  const taken = totals.map((name) => sql`${sql(name)} = r.${sql(name)}`)
  await sql`
    update sessions s set ${taken.reduce((all, one) => sql`${all}, ${one}`)}
    from jsonb_populate_record(null::sessions, ${JSON.stringify(totalsOf(record))}::text::jsonb) r
    where s.tenant_id = ${tenantId} and s.id = ${sessionId}`
}

/** What a session says of its messages; the same wherever they are the same, in one order. */
export function totalsOf(record: SessionRecord): Readonly<Record<string, unknown>> {
  const said: Readonly<Record<string, unknown>> = record
  return Object.fromEntries(totals.map((name) => [name, said[name]]))
}

/** Notes that a session has changed, and the times of it that another store knows. */
export async function noteExchanged(
  sql: Queries,
  { tenantId, sessionId }: SessionKey,
  { record, isOther }: { readonly record: SessionRecord; readonly isOther: boolean },
): Promise<void> {
  const latest = sql`greatest(last_active_at, ${record.last_active_at}::text::timestamptz)`
  await sql`
    update sessions set created_at = least(created_at, ${record.created_at}::text::timestamptz), last_active_at = ${latest},
      active_hour = date_trunc('hour', ${latest}), version = version + 1
      ${isOther ? sql`, erasures = erasures + 1` : sql``}
    where tenant_id = ${tenantId} and id = ${sessionId}`
}

/** Whether its messages were all saved one after the other. */
export async function isLinear(sql: Queries, { tenantId, sessionId }: SessionKey): Promise<boolean> {
  const rows = await sql`
    select from messages where tenant_id = ${tenantId} and session_id = ${sessionId} and follows_id is not null limit 1`
  return rows.length === 0
}
