import { z } from 'zod'

import type { Caller } from '../model/access.ts'
import { readAuditRows, type AuditSpan, type AuditSubject, type ReadAuditRow } from '../store/audit/audit-read.ts'
import type { Database } from '../store/database.ts'
import { withReasons } from '../store/rights/reasons.ts'

/** A row of the audit log as it is written out: docs/audit.md. What is not known of it is left out. */
export interface AuditEntry {
  readonly id: number
  /** ISO 8601 in UTC. */
  readonly at: string
  readonly actor: string
  readonly action: string
  readonly outcome: string
  readonly client?: string
  readonly tool?: string
  readonly object_kind?: string
  readonly object_id?: string
  readonly objects?: readonly string[]
  readonly reason?: string
  readonly count?: number
  readonly bytes?: number
  readonly auth_method?: string
  readonly token_id?: string
  /** The name of the token, which the row itself does not hold. */
  readonly token?: string
  readonly origin?: string
  readonly request_id?: string
  readonly trace_id?: string
  readonly policy_version?: number
}

const objectsSchema = z.array(z.string())
const rowsPerPage = 2_000

/** Every row of the caller's tenant within a span, in the order of their numbers, with the words of reasons; of a subject, where one is given. */
export async function* readAudit(
  database: Pick<Database, 'run' | 'vault'>,
  { tenantId }: Pick<Caller, 'tenantId'>,
  what: AuditSpan & { readonly subject?: AuditSubject | undefined },
): AsyncGenerator<AuditEntry> {
  let after = 0
  for (;;) {
    const from = after
    const rows = await database.run((sql) => readAuditRows(sql, tenantId, { ...what, after: from, limit: rowsPerPage }))
    yield* (await withReasons(database, tenantId, rows)).map(entryOf)
    if (rows.length < rowsPerPage) return
    after = Number(rows.at(-1)?.id)
  }
}

function entryOf(row: ReadAuditRow): AuditEntry {
  const known = {
    client: row.client,
    tool: row.tool,
    object_kind: row.object_kind,
    object_id: row.object_id,
    objects: row.objects === null ? null : objectsSchema.parse(JSON.parse(row.objects)),
    reason: row.reason,
    count: numberOf(row.count),
    bytes: numberOf(row.bytes),
    auth_method: row.auth_method,
    token_id: row.token_id,
    token: row.token,
    origin: row.origin,
    request_id: row.request_id,
    trace_id: row.trace_id,
    policy_version: numberOf(row.policy_version),
  }
  return {
    id: Number(row.id),
    at: new Date(Number(row.at)).toISOString(),
    actor: row.actor,
    action: row.action,
    outcome: row.outcome,
    ...Object.fromEntries(Object.entries(known).filter(([, value]) => value !== null)),
  }
}

function numberOf(value: string | null): number | null {
  return value === null ? null : Number(value)
}
