import type { Queries } from '../rows.ts'

/** How many keys there are that were not destroyed. */
export async function countKeys(sql: Queries): Promise<number> {
  const [row] = await sql<
    { count: number }[]
  >`select count(*)::int as count from encryption_keys where wrapped is not null`
  return row?.count ?? 0
}

/** Encrypted sessions of all tenants whose key is not there: some of them, and how many. */
export async function sessionsWithoutKey(
  sql: Queries,
  limit: number,
): Promise<{ readonly sessions: { readonly tenantId: number; readonly sessionId: string }[]; readonly count: number }> {
  const lacking = sql`
    from sessions s where s.key_version > 0 and not exists (
      select from encryption_keys k where k.tenant_id = s.tenant_id and k.purpose = 'session' and k.session_id = s.id
        and k.version = s.key_version and k.wrapped is not null)`
  const rows = await sql<{ tenant_id: number; id: string }[]>`
    select tenant_id, id ${lacking} order by tenant_id, id limit ${limit}`
  const [row] = await sql<{ count: number }[]>`select count(*)::int as count ${lacking}`
  return {
    sessions: rows.map(({ tenant_id: tenantId, id: sessionId }) => ({ tenantId, sessionId })),
    count: row?.count ?? 0,
  }
}
