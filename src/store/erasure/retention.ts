import type { Database } from '../database.ts'
import type { SessionKey } from '../messages.ts'
import { withReasons } from '../rights/reasons.ts'
import type { Queries } from '../rows.ts'

export interface StoredPolicy {
  readonly id: string
  readonly scope: 'tenant' | 'source' | 'tag' | 'session'
  readonly target: string | null
  readonly ageDaysMax: number | undefined
  readonly idleDaysMax: number | undefined
  readonly messagesMax: number | undefined
  readonly bytesMax: number | undefined
  readonly createdBy: string
  readonly createdAt: Date
}

interface PolicyRow {
  readonly id: string
  readonly scope: StoredPolicy['scope']
  readonly target: string | null
  readonly age_days_max: number | null
  readonly idle_days_max: number | null
  readonly messages_max: string | null
  readonly bytes_max: string | null
  readonly created_by: string
  readonly created_at: Date
}

/** From the widest scope to the narrowest. */
export async function readPolicies(sql: Queries, tenantId: number): Promise<StoredPolicy[]> {
  const rows = await sql<PolicyRow[]>`
    select id, scope, target, age_days_max, idle_days_max, messages_max, bytes_max, created_by, created_at from retention_policies
    where tenant_id = ${tenantId} and enabled order by array_position(array['tenant', 'source', 'tag', 'session'], scope), target`
  const number = (value: string | number | null) => (value === null ? undefined : Number(value))
  return rows.map((row) => ({
    id: row.id,
    scope: row.scope,
    target: row.target,
    ageDaysMax: number(row.age_days_max),
    idleDaysMax: number(row.idle_days_max),
    messagesMax: number(row.messages_max),
    bytesMax: number(row.bytes_max),
    createdBy: row.created_by,
    createdAt: row.created_at,
  }))
}

/** Puts a policy in the place of the one for the same scope and target. */
export async function writePolicy(
  sql: Queries,
  tenantId: number,
  policy: Omit<StoredPolicy, 'createdAt'>,
): Promise<void> {
  await deletePolicy(sql, tenantId, policy)
  await sql`
    insert into retention_policies (tenant_id, id, scope, target, age_days_max, idle_days_max, messages_max, bytes_max, created_by)
    values (${tenantId}, ${policy.id}, ${policy.scope}, ${policy.target}, ${policy.ageDaysMax ?? null}, ${policy.idleDaysMax ?? null},
      ${policy.messagesMax ?? null}, ${policy.bytesMax ?? null}, ${policy.createdBy})`
  // From here on time is counted: a clock that jumps before the first sweep is seen too.
  await sql`insert into retention_sweeps (tenant_id, swept_at) values (${tenantId}, now()) on conflict do nothing`
}

/** False where there was none. */
export async function deletePolicy(
  sql: Queries,
  tenantId: number,
  { scope, target }: Pick<StoredPolicy, 'scope' | 'target'>,
): Promise<boolean> {
  const gone = await sql`
    delete from retention_policies where tenant_id = ${tenantId} and scope = ${scope} and target is not distinct from ${target}`
  return gone.count > 0
}

export interface SweepState {
  readonly sweptAtMs: number
  /** By the database's clock, which says when messages were saved. */
  readonly nowMs: number
}

/** When the last sweep was; undefined where no policy was ever set. */
export async function readSweep(sql: Queries, tenantId: number): Promise<SweepState | undefined> {
  const [row] = await sql<{ swept_ms: number; now_ms: number }[]>`
    select date_part('epoch', swept_at) * 1000 as swept_ms, date_part('epoch', now()) * 1000 as now_ms
    from retention_sweeps where tenant_id = ${tenantId}`
  return row === undefined ? undefined : { sweptAtMs: row.swept_ms, nowMs: row.now_ms }
}

/** Notes a sweep, for one of several processes that would begin it; false for the others. */
export async function claimSweep(sql: Queries, tenantId: number, seenMs: number): Promise<boolean> {
  const rows = await sql`
    update retention_sweeps set swept_at = now()
    where tenant_id = ${tenantId} and date_part('epoch', swept_at) * 1000 <= ${seenMs}::float8 + 1 returning 1`
  return rows.length > 0
}

export interface SweptSession {
  readonly id: string
  readonly source: string
  readonly tags: readonly string[]
  readonly lastActiveAtMs: number
  readonly legalHold: boolean
  readonly erasures: number
  readonly lastSeq: number
}

/** Sessions, a page at a time by id; not those that are being erased. Uses the primary key. */
export async function sessionsToSweep(
  sql: Queries,
  tenantId: number,
  page: { readonly after: string | undefined; readonly limit: number },
): Promise<SweptSession[]> {
  const rows = await sql<
    {
      id: string
      source: string
      tags: string[]
      active_ms: number
      legal_hold: boolean
      erasures: number
      last_seq: string
    }[]
  >`
    select id, source, to_jsonb(tags) as tags, date_part('epoch', last_active_at) * 1000 as active_ms, legal_hold, erasures, last_seq
    from sessions s
    where tenant_id = ${tenantId} ${page.after === undefined ? sql`` : sql`and id > ${page.after}::uuid`}
      and not exists (select from outbox o where o.tenant_id = s.tenant_id and o.topic = 'erase' and o.session_id = s.id)
    order by id limit ${page.limit}`
  return rows.map((row) => ({
    id: row.id,
    source: row.source,
    tags: row.tags,
    lastActiveAtMs: row.active_ms,
    legalHold: row.legal_hold,
    erasures: row.erasures,
    lastSeq: Number(row.last_seq),
  }))
}

/** How many sessions somebody erases already, or messages of them; a sweep leaves them out. */
export async function countSessionsUnderWay(sql: Queries, tenantId: number): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(distinct session_id)::int as count from outbox
    where tenant_id = ${tenantId} and topic = 'erase' and details->'isHeld' is distinct from 'true'::jsonb`
  return row?.count ?? 0
}

/** All messages that are left of a session, in order, by what retention asks of them. */
export async function messagesToSweep(
  sql: Queries,
  key: SessionKey,
): Promise<{ readonly seq: number; readonly atMs: number; readonly bytes: number }[]> {
  const rows = await sql<{ seq: string; at_ms: number; bytes: string }[]>`
    select seq, date_part('epoch', least(timestamp, saved_at)) * 1000 as at_ms, payload_bytes as bytes from messages
    where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} and kind <> 'erased' order by seq`
  return rows.map(({ seq, at_ms: atMs, bytes }) => ({ seq: Number(seq), atMs, bytes: Number(bytes) }))
}

/** Who may was asked before. False where a hold is to end and there is none; one that is set again has another reason. */
export async function writeHold(sql: Queries, key: SessionKey, isHeld: boolean): Promise<boolean> {
  const rows = await sql`
    update sessions set legal_hold = ${isHeld}, said_at = clock_timestamp(), version = version + 1
    where tenant_id = ${key.tenantId} and id = ${key.sessionId} and (legal_hold or ${isHeld}) returning 1`
  return rows.length > 0
}

interface Hold {
  readonly id: string
  readonly actor: string | null
  readonly at: Date | null
  readonly reason: string | null
}

/** Sessions on hold, and what was said when they were put on it. */
export async function readHolds(database: Pick<Database, 'run' | 'vault'>, tenantId: number): Promise<Hold[]> {
  return await withReasons(database, tenantId, await database.run((sql) => readNotedHolds(sql, tenantId)))
}

async function readNotedHolds(sql: Queries, tenantId: number): Promise<Hold[]> {
  return await sql<Hold[]>`
    select s.id, held.actor, held.at, held.reason from sessions s left join lateral (
      select actor, at, reason from audit_log a
      where a.tenant_id = s.tenant_id and a.action = 'session.hold' and a.object_id = s.id::text order by a.id desc limit 1
    ) held on true
    where s.tenant_id = ${tenantId} and s.legal_hold order by s.id`
}
