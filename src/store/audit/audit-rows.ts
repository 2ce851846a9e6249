import type { Queries } from '../rows.ts'

/** A row of the audit log as the database writes its values out, so that no driver can make two of them alike. */
export interface AuditRow {
  readonly id: string
  readonly tenant_id: string
  /** Milliseconds since 1970. */
  readonly at: string
  readonly actor: string
  readonly actor_kind: string
  readonly client: string | null
  readonly action: string
  readonly object_kind: string | null
  readonly object_id: string | null
  readonly outcome: string
  readonly reason: string | null
  readonly count: string | null
  readonly bytes: string | null
  readonly request_id: string | null
  readonly auth_method: string | null
  readonly token_id: string | null
  readonly origin: string | null
  readonly tool: string | null
  readonly policy_version: string | null
  readonly trace_id: string | null
  /** As JSON. */
  readonly objects: string | null
  readonly written_in: string
}

/** The columns of `AuditRow`, of a table named `a`. */
export function auditColumns(sql: Queries) {
  return sql`a.id::text, a.tenant_id::text, (extract(epoch from a.at) * 1000)::bigint::text as at, a.actor, a.actor_kind,
    a.client, a.action, a.object_kind, a.object_id, a.outcome, a.reason, a.count::text, a.bytes::text, a.request_id,
    a.auth_method, a.token_id::text, a.origin, a.tool, a.policy_version::text, a.trace_id, to_json(a.objects)::text as objects,
    a.written_in::text`
}
