import type { ReservedSql, Sql } from 'postgres'

/**
 * A connection of the pool for one user alone, until its `release()`.
 *
 * postgres.js 3.4.9 never gives out one that it opens for this, where it does not ask for array types first
 * (`fetch_types: false`): a query opens it, and is taken back by the pool before its answer is seen here.
 */
export async function reserveConnection(sql: Sql): Promise<ReservedSql> {
  await sql`select 1`
  return await sql.reserve()
}
