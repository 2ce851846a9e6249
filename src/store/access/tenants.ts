import { isoTime, type Queries } from '../rows.ts'

/** A company, a team, a person: whoever has a memory that others must not see. */
export interface Tenant {
  readonly id: number
  readonly name: string
  readonly createdAt: string
  /** When its tokens stopped to be good; null while they are. */
  readonly disabledAt: string | null
}

interface TenantRow {
  id: number
  name: string
  created_at: Date
  disabled_at: Date | null
}

function fromRow(row: TenantRow): Tenant {
  return { id: row.id, name: row.name, createdAt: isoTime(row.created_at), disabledAt: isoTime(row.disabled_at) }
}

export async function tenantIds(sql: Queries): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`select id from tenants order by id`
  return rows.map(({ id }) => id)
}

export async function readTenants(sql: Queries): Promise<Tenant[]> {
  return (await sql<TenantRow[]>`select id, name, created_at, disabled_at from tenants order by id`).map(fromRow)
}

export async function findTenant(sql: Queries, name: string): Promise<Tenant | undefined> {
  const [row] = await sql<TenantRow[]>`select id, name, created_at, disabled_at from tenants where name = ${name}`
  return row === undefined ? undefined : fromRow(row)
}

/** Undefined where the name is taken. The first tenant has its number from the migrations, so numbers are counted from it. */
export async function insertTenant(sql: Queries, name: string): Promise<Tenant | undefined> {
  const [row] = await sql<TenantRow[]>`
    insert into tenants (id, name) select coalesce(max(id), 0) + 1, ${name} from tenants
    on conflict (name) do nothing returning id, name, created_at, disabled_at`
  return row === undefined ? undefined : fromRow(row)
}

/** Makes all tokens of a tenant good for nothing, or good again. False where there is no such tenant. */
export async function setTenantDisabled(sql: Queries, name: string, isDisabled: boolean): Promise<boolean> {
  const rows = await sql`
    update tenants set disabled_at = ${isDisabled ? sql`coalesce(disabled_at, now())` : sql`null`} where name = ${name} returning id`
  return rows.length > 0
}
