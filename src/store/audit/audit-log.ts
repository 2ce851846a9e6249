import type { PendingQuery, Row } from 'postgres'

import type { Caller } from '../../model/access.ts'
import type { Call } from '../../model/call.ts'
import type { Queries } from '../rows.ts'
import { asAuditUnwritten } from './audit-unwritten.ts'

/** What happened, without content: an action, what it was done to, and how it ended. */
export interface AuditEvent {
  readonly action: string
  readonly objectKind?: string
  readonly objectId?: string
  readonly outcome: 'ok' | 'denied' | 'failed'
  readonly reason?: string
  readonly count?: number
  /** Sessions that it was about, where these may be several; the first 500. */
  readonly sessions?: readonly string[]
  /** Tells a retry that the action was done although its answer was lost. */
  readonly requestId?: string
}

const sessionsMax = 500

/** Throws AuditUnwritten where the audit log takes no row: whoever writes one in the transaction of a deed undoes that by it. */
export async function writeAudit(sql: Queries, caller: Caller, event: AuditEvent): Promise<void> {
  const sessions = JSON.stringify((event.sessions ?? []).slice(0, sessionsMax))
  // The transaction has its number before the row has: see `sealingMoment`.
  await sql`
    with now as materialized (select pg_current_xact_id() as transaction, ${JSON.stringify(caller.call?.columns ?? {})}::text::jsonb as call)
    insert into audit_log (tenant_id, actor, actor_kind, client, action, object_kind, object_id, outcome, reason, count, request_id,
      auth_method, token_id, origin, tool, policy_version, trace_id, objects, written_in)
    select ${caller.tenantId}::int, ${caller.principal}, 'principal', ${caller.client}, ${event.action}, ${event.objectKind ?? null},
      ${event.objectId ?? null}, ${event.outcome}, ${event.reason ?? null}, ${event.count ?? null}::bigint,
      coalesce(${event.requestId ?? null}, call->>'request'), call->>'auth', (call->>'token')::uuid, call->>'origin', call->>'tool',
      (call->>'policy')::smallint, call->>'trace',
      (select array_agg(id order by place) from jsonb_array_elements_text(${sessions}::text::jsonb) with ordinality named(id, place)),
      now.transaction
    from now`.catch(refused)
  if (caller.call !== undefined) caller.call.isWritten = true
}

/** A retry comes within seconds; so many rows are not added meanwhile, and to look at them takes the primary key only. */
const recentRows = 10_000

/** Whether an action was written down a moment ago, and so was done: it is in the same transaction as its row. */
export async function wasAudited(sql: Queries, tenantId: number, requestId: string): Promise<boolean> {
  const rows = await sql`
    select 1 from (
      select request_id from audit_log where tenant_id = ${tenantId} order by id desc limit ${recentRows}
    ) recent
    where request_id = ${requestId} limit 1`
  return rows.length > 0
}

/** Tells a function that writes a row itself of the call, as a FROM. It ends with the statement. */
export function calling(sql: Queries, call: Call | undefined): PendingQuery<Row[]> {
  return sql`from (select set_config('verbatim.call', ${call === undefined ? '' : JSON.stringify(call.columns)}, true)) called`
}

/** A call that is over and has no row yet. */
export interface CallRow {
  readonly caller: Pick<Caller, 'tenantId' | 'principal' | 'client'>
  readonly call: Call
  readonly atMs: number
  readonly outcome: AuditEvent['outcome']
  readonly reason: string | undefined
}

/** Adds the rows of calls; at a second attempt none of those that are there. Throws AuditUnwritten where the audit log takes none. */
export async function insertCalls(sql: Queries, calls: readonly CallRow[], attempt: number): Promise<void> {
  const rows = calls.map(({ caller, call, atMs, outcome, reason }) => ({
    ...call.columns,
    tenant: caller.tenantId,
    actor: caller.principal,
    client: caller.client,
    action: call.description.action,
    session: call.sessionId,
    outcome,
    reason,
    count: call.count,
    objects: call.objects.length === 0 ? undefined : call.objects,
    at: atMs,
  }))
  const unlessThere =
    attempt === 1
      ? sql``
      : sql`where not exists (
          select from (select id, request_id from audit_log a where a.tenant_id = r.tenant order by id desc limit ${recentRows}) recent
          where recent.request_id = r.request)`
  await sql`
    with now as materialized (select pg_current_xact_id() as transaction)
    insert into audit_log (tenant_id, at, actor, actor_kind, client, action, object_kind, object_id, outcome, reason, count,
      request_id, auth_method, token_id, origin, tool, policy_version, trace_id, objects, written_in)
    select r.tenant, to_timestamp(r.at / 1000.0), r.actor, 'principal', r.client, r.action,
      case when r.session is not null then 'session' end, r.session, r.outcome, r.reason, r.count, r.request, r.auth, r.token,
      r.origin, r.tool, r.policy, r.trace, r.objects, now.transaction
    from now, jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r(tenant int, at bigint, actor text, client text,
      action text, session text, outcome text, reason text, count bigint, request text, auth text, token uuid, origin text,
      tool text, policy smallint, trace text, objects text[])
    ${unlessThere}`.catch(refused)
}

function refused(error: unknown): never {
  throw asAuditUnwritten(error)
}
