import type { Caller } from '../../model/access.ts'
import { writeAudit } from '../audit/audit-log.ts'
import type { Queries } from '../rows.ts'
import type { ErasureAction } from './receipts.ts'

/** Says in the audit log that an erasure has begun. Each session has a row when it is erased. */
export async function auditErasure(
  sql: Queries,
  caller: Caller,
  erasure: {
    readonly id: string
    readonly scope: string
    readonly sessions: readonly { readonly id: string }[]
    readonly action?: ErasureAction | undefined
  },
): Promise<void> {
  const { id, scope, sessions, action = 'erase' } = erasure
  await writeAudit(sql, caller, {
    action: `memory.${action}`,
    objectKind: 'erasure',
    objectId: id,
    outcome: 'ok',
    reason: scope,
    count: sessions.length,
    sessions: sessions.map((session) => session.id),
    requestId: id,
  })
}
