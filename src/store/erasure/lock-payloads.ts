import type { Queries } from '../rows.ts'

/**
 * Until the end of the transaction: who stores messages whose bytes are at these places of the archive has them with others; who looks
 * whether any message uses one, and erases it, has it alone.
 */
export async function lockPayloads(
  sql: Queries,
  locations: readonly string[],
  mode: 'shared' | 'exclusive',
): Promise<void> {
  const lock = mode === 'shared' ? sql`pg_advisory_xact_lock_shared` : sql`pg_advisory_xact_lock`
  // In one order, so that no two wait for each other.
  for (const location of [...new Set(locations)].toSorted())
    await sql`select ${lock}(hashtextextended(${`payload ${location}`}, 0))`
}
