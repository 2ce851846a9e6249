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
}

export async function writeAudit(sql: Queries, caller: Caller, event: AuditEvent): Promise<void> {
  await sql`
    insert into audit_log (tenant_id, actor, actor_kind, client, action, object_kind, object_id, outcome, reason, count)
    values (${caller.tenantId}, ${caller.principal}, 'principal', ${caller.client}, ${event.action}, ${event.objectKind ?? null},
      ${event.objectId ?? null}, ${event.outcome}, ${event.reason ?? null}, ${event.count ?? null})`
}
