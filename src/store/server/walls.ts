import type { Sql } from 'postgres'

import { codeOf, UnavailableError } from '../../errors.ts'
import { rolesThatMay, type Viewer } from '../../model/access.ts'
import { inTransaction } from '../transaction.ts'

/** The role that requests act in: row level security gives it the rows of one tenant and nothing else. */
export const tenantRole = 'verbatim_tenant'

/** Grows when what is below changes: policies of another name are replaced at the next start. */
const version = 1
const policy = `verbatim_v${version}`

const ownTenant = `(select nullif(current_setting('verbatim.tenant', true), '')::integer)`
const ownPrincipal = `(select nullif(current_setting('verbatim.principal', true), '')::uuid)`

/** The sessions that are shared with some only, of which the principal has none of these roles. Nobody's principal is the owner of all. */
function closedSessions(roles: readonly string[]): string {
  const fits = `g.principal_id = ${ownPrincipal} and g.role in (${roles.map((role) => `'${role}'`).join(', ')})`
  return `(select g.session_id from session_grants g where g.tenant_id = ${ownTenant} and ${ownPrincipal} is not null
    group by g.session_id having not bool_or(${fits}))`
}

/** Tables whose rows tell what a session holds: whoever may not read it sees none of them. */
const contentTables: ReadonlySet<string> = new Set([
  'archive_segments',
  'embedded_units',
  'fact_sources',
  'messages',
  'recall_feedback',
  'search_units',
  'summaries',
  'unit_vectors',
])

/** Kept from requests altogether: proofs of who somebody is. */
const ownerTables: ReadonlySet<string> = new Set(['access_tokens'])
/** Rows are added and never changed. */
const appendTables: ReadonlySet<string> = new Set(['audit_log'])

interface Conditions {
  readonly read: string
  readonly write: string
}

/** Which rows of a table the tenant's role sees, and which it may leave behind. */
function conditionsOf(table: string): Conditions {
  const tenant = `tenant_id = ${ownTenant}`
  const open = (column: string, roles: readonly string[]) =>
    `${tenant} and (${column} is null or ${column} not in ${closedSessions(roles)})`
  const { list, read: readers, write: writers } = rolesThatMay
  if (table === 'sessions') return { read: open('id', list), write: open('id', writers) }
  if (table === 'messages') return { read: open('session_id', readers), write: open('session_id', writers) }
  const read = contentTables.has(table) ? open('session_id', readers) : tenant
  return { read, write: read }
}

function statementsFor(table: string, owner: string, former: readonly string[]): string[] {
  const { read, write } = conditionsOf(table)
  const rights = ownerTables.has(table)
    ? []
    : [`grant select, insert${appendTables.has(table) ? '' : ', update, delete'} on ${table} to ${tenantRole}`]
  return [
    `alter table ${table} enable row level security`,
    `alter table ${table} force row level security`,
    ...former.map((name) => `drop policy ${name} on ${table}`),
    // A condition that is true leaves the owner its indexes: one on an array is of no use beside any other condition.
    `create policy ${policy}_owner on ${table} to ${owner} using (true) with check (true)`,
    `create policy ${policy} on ${table} for select to ${tenantRole} using (${read})`,
    `create policy ${policy}_insert on ${table} for insert to ${tenantRole} with check (${write})`,
    `create policy ${policy}_update on ${table} for update to ${tenantRole} using (${read}) with check (${write})`,
    `create policy ${policy}_delete on ${table} for delete to ${tenantRole} using (${write})`,
    ...rights,
  ]
}

interface WalledTable {
  readonly name: string
  readonly policies: readonly string[]
  readonly is_forced: boolean
}

/** What the whole store shares, of which status shows something. */
const sharedTables = ['provider_usage']

/** Every table with a tenant's rows. Partitions are reached through their table only: nobody has a right on them. */
async function tenantTables(sql: Sql): Promise<WalledTable[]> {
  return await sql<WalledTable[]>`
    select c.relname as name, c.relrowsecurity and c.relforcerowsecurity as is_forced,
      (select coalesce(to_jsonb(array_agg(polname::text)), '[]') from pg_policy where polrelid = c.oid) as policies
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
    where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = current_schema()::regnamespace
    order by c.relname`
}

function stands({ is_forced: isForced, policies }: WalledTable): boolean {
  return isForced && policies.includes(policy) && policies.every((name) => name.startsWith(policy))
}

/** Whether each table of tenants has its wall. */
export async function wallsStand(sql: Sql): Promise<boolean> {
  const tables = await tenantTables(sql)
  return tables.every(stands) && (await canActAsTenant(sql))
}

/**
 * Puts row level security around every table of tenants, forced upon the owner of the tables too, who is let through by a
 * policy. To be called by one process at a time. Throws UnavailableError where the role for it is missing and cannot be made.
 */
export async function raiseWalls(sql: Sql): Promise<void> {
  await ensureRole(sql)
  const [late] = await sql<{ needs: boolean }[]>`
    select to_regclass('unit_vectors') is null and to_regprocedure('make_unit_vectors()') is not null
      and exists (select from pg_extension where extname = 'vector') as needs`
  // A server that got pgvector after it was set up.
  if (late?.needs === true) await sql`select make_unit_vectors()`
  const [me] = await sql<{ owner: string; schema: string }[]>`
    select quote_ident(current_user) as owner, quote_ident(current_schema()) as schema`
  if (me === undefined) throw new Error('current_user is nobody')
  const statements = (await tenantTables(sql))
    .filter((table) => !stands(table))
    .flatMap(({ name, policies }) => statementsFor(name, me.owner, policies))
  await inTransaction(sql, async (transaction) => {
    await transaction.unsafe(`grant usage on schema ${me.schema} to ${tenantRole}`)
    for (const statement of statements) await transaction.unsafe(statement)
    for (const table of sharedTables) {
      const [there] = await transaction`select where to_regclass(${table}) is not null`
      if (there !== undefined) await transaction.unsafe(`grant select on ${table} to ${tenantRole}`)
    }
  })
}

async function ensureRole(sql: Sql): Promise<void> {
  if (await canActAsTenant(sql)) return
  try {
    await sql.unsafe(`create role ${tenantRole} nologin`)
  } catch (error) {
    // 42710, 23505: it is there, or another database of the server is being set up just now. 42501: the next step tells.
    if (!['42710', '23505', '42501'].includes(codeOf(error) ?? '')) throw error
  }
  try {
    await sql.unsafe(`grant ${tenantRole} to current_user`)
  } catch (error) {
    if (!(await canActAsTenant(sql))) throw await withoutRole(sql, error)
  }
}

async function canActAsTenant(sql: Sql): Promise<boolean> {
  try {
    await inTransaction(sql, (transaction) => transaction.unsafe(`set local role ${tenantRole}`))
    return true
  } catch (error) {
    // 22023: there is no such role; 42501: it is not ours to take.
    if (['22023', '42501'].includes(codeOf(error) ?? '')) return false
    throw error
  }
}

async function withoutRole(sql: Sql, cause: unknown): Promise<UnavailableError> {
  const [row] = await sql<{ role: string }[]>`select quote_ident(current_user) as role`
  return new UnavailableError(`Cannot keep tenants apart as the role ${row?.role} may not act as "${tenantRole}"`, {
    remedy: `Run as an administrator: create role ${tenantRole} nologin; grant ${tenantRole} to ${row?.role}`,
    cause,
  })
}

/** What a transaction begins with that acts on behalf of a viewer; what it sets ends with it. */
export function enterAs({ tenantId, principalId }: Viewer): string {
  if (!Number.isSafeInteger(tenantId)) throw new TypeError('A tenant is named by a whole number')
  if (principalId !== undefined && !/^[\da-f-]{36}$/.test(principalId))
    throw new TypeError('A principal is named by a UUID')
  return `set local role ${tenantRole}; set local verbatim.tenant = '${tenantId}'; set local verbatim.principal = '${principalId ?? ''}'`
}
