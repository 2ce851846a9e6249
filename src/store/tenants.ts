import type { Queries } from './rows.ts'

export async function tenantIds(sql: Queries): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`select id from tenants order by id`
  return rows.map(({ id }) => id)
}
