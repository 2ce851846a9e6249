import type { TransactionSql } from 'postgres'

/**
 * Until the end of the transaction: whoever stores facts does so beside others (`shared`); whoever changes what is told in several sessions,
 * or by what facts are known again, does so alone (`exclusive`). So what somebody deletes is seen by who is just about to store the same of
 * another session, or sees what that one has stored. To be called before anything of a fact or its session is locked.
 */
export async function lockFacts(sql: TransactionSql, tenantId: number, mode: 'shared' | 'exclusive'): Promise<void> {
  const lock = mode === 'shared' ? sql`pg_advisory_xact_lock_shared` : sql`pg_advisory_xact_lock`
  await sql`select ${lock}(hashtext('facts'), ${tenantId})`
}

/**
 * The same, alone and at once: false where another one holds it too. For who may hold it beside others already, as who learns does until the end
 * of a round: two of them that waited to be alone would wait for each other.
 */
export async function tryLockFacts(sql: TransactionSql, tenantId: number): Promise<boolean> {
  const [row] = await sql<{ is_alone: boolean }[]>`
    select pg_try_advisory_xact_lock(hashtext('facts'), ${tenantId}) as is_alone`
  return row?.is_alone === true
}
