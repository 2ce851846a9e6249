import type { TransactionSql } from 'postgres'

import { ConflictError } from '../../errors.ts'
import type { PlannedSession } from './erasure-plan.ts'

type Planned = Pick<PlannedSession, 'id' | 'stretches' | 'erasures'>

/**
 * Those of which no messages were erased or put at other places since it was planned which of them are to go. Until the transaction ends they
 * stay where they are.
 */
export async function stillAsPlanned(
  sql: TransactionSql,
  tenantId: number,
  sessions: readonly Planned[],
): Promise<readonly Planned[]> {
  const planned = sessions.filter(({ stretches }) => stretches.length > 0)
  if (planned.length === 0) return sessions
  const wanted = JSON.stringify(planned.map(({ id: i, erasures: e }) => ({ i, e })))
  const rows = await sql<{ id: string; is_same: boolean }[]>`
    select id, s.erasures = e as is_same from jsonb_to_recordset(${wanted}::text::jsonb) as r(i uuid, e int)
      join sessions s on s.tenant_id = ${tenantId} and s.id = r.i order by s.id for share of s`
  const others = new Set(rows.filter(({ is_same: isSame }) => !isSame).map(({ id }) => id))
  return sessions.filter(({ id }) => !others.has(id))
}

export function changedMeanwhile(): ConflictError {
  return new ConflictError('Cannot erase these messages as their session was changed meanwhile', {
    remedy: 'Nothing was erased. Ask for it again',
  })
}
