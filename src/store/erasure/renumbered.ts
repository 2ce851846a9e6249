import type { TransactionSql } from 'postgres'

import { ConflictError } from '../../errors.ts'
import type { PlannedSession } from './erasure-plan.ts'

type Planned = Pick<PlannedSession, 'id' | 'stretches' | 'erasures' | 'lastSeq'>

/**
 * Those of which no messages were erased or put at other places since it was planned which of them are to go; of those that go whole, those to
 * which nothing was saved since. Until the transaction ends they stay so.
 */
export async function stillAsPlanned(
  sql: TransactionSql,
  tenantId: number,
  sessions: readonly Planned[],
): Promise<readonly Planned[]> {
  const planned = sessions.filter(({ stretches, lastSeq }) => stretches.length > 0 || lastSeq !== undefined)
  if (planned.length === 0) return sessions
  const wanted = JSON.stringify(
    planned.map(({ id: i, stretches, erasures, lastSeq: l }) => ({
      i,
      e: stretches.length > 0 ? erasures : undefined,
      l,
    })),
  )
  const rows = await sql<{ id: string; is_same: boolean }[]>`
    select id, (s.erasures = coalesce(e, s.erasures) and s.last_seq <= coalesce(l, s.last_seq)) as is_same
    from jsonb_to_recordset(${wanted}::text::jsonb) as r(i uuid, e int, l bigint)
      join sessions s on s.tenant_id = ${tenantId} and s.id = r.i order by s.id for no key update of s`
  const others = new Set(rows.filter(({ is_same: isSame }) => !isSame).map(({ id }) => id))
  return sessions.filter(({ id }) => !others.has(id))
}

export function changedMeanwhile(): ConflictError {
  return new ConflictError('Cannot erase these messages as their session was changed meanwhile', {
    remedy: 'Nothing was erased. Ask for it again',
  })
}
