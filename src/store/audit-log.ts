import type { Caller } from '../model/access.ts'
import type { Queries } from './rows.ts'

/** What happened, without content: an action, what it was done to, and how it ended. */
export interface AuditEvent {
  readonly action: string
  readonly objectKind?: string
  readonly objectId?: string
  readonly outcome: 'ok' | 'denied' | 'failed'
  readonly reason?: string
  readonly count?: number
  /** Tells a retry that the action was done although its answer was lost. */
  readonly requestId?: string
}

export async function writeAudit(sql: Queries, caller: Caller, event: AuditEvent): Promise<void> {
  // The transaction has its number before the row has: see `sealingMoment`.
  await sql`
    with now as materialized (select pg_current_xact_id() as transaction)
    insert into audit_log (tenant_id, actor, actor_kind, client, action, object_kind, object_id, outcome, reason, count, request_id,
      written_in)
    select ${caller.tenantId}::int, ${caller.principal}, 'principal', ${caller.client}, ${event.action}, ${event.objectKind ?? null},
      ${event.objectId ?? null}, ${event.outcome}, ${event.reason ?? null}, ${event.count ?? null}::bigint,
      ${event.requestId ?? null}, now.transaction
    from now`
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
