import type { TransactionSql } from 'postgres'

/**
 * Keeps whoever erases away from some sessions until the transaction ends: what is made of their messages is then written
 * before an erasure, which removes it, or sees that they are gone. A save is not kept away. In one order everywhere, so that
 * two of them do not wait for each other.
 */
export async function keepFromErasure(
  sql: TransactionSql,
  tenantId: number,
  things: readonly { readonly sessionId: string }[],
): Promise<void> {
  const ids = JSON.stringify([...new Set(things.map(({ sessionId }) => sessionId))])
  await sql`
    select from sessions where tenant_id = ${tenantId} and id in (select jsonb_array_elements_text(${ids}::text::jsonb)::uuid)
    order by id for key share`
}
