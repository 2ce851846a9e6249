import type { TransactionSql } from 'postgres'

import { ConflictError } from '../../errors.ts'
import type { PlannedSession } from './erasure-plan.ts'

/**
 * Throws ConflictError where messages of a session were erased or put at other places since it was planned which of them are to go. Until
 * the transaction ends they stay where they are.
 */
export async function refuseRenumbered(
  sql: TransactionSql,
  tenantId: number,
  sessions: readonly Pick<PlannedSession, 'id' | 'stretches' | 'erasures'>[],
): Promise<void> {
  const planned = sessions.filter(({ stretches, erasures }) => stretches.length > 0 && erasures !== undefined)
  if (planned.length === 0) return
  const wanted = JSON.stringify(planned.map(({ id: i, erasures: e }) => ({ i, e })))
  const rows = await sql<{ id: string; is_same: boolean }[]>`
    select id, s.erasures = e as is_same from jsonb_to_recordset(${wanted}::text::jsonb) as r(i uuid, e int)
      join sessions s on s.tenant_id = ${tenantId} and s.id = r.i order by s.id for share of s`
  const other = rows.find(({ is_same: isSame }) => !isSame)
  if (other === undefined) return
  throw new ConflictError(`Cannot erase messages of session "${other.id}" as it was changed meanwhile`, {
    remedy: 'Ask for it again',
  })
}
