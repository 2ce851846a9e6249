import type { Sql } from 'postgres'

import { codeOf, UnavailableError } from '../../errors.ts'
import { rolesThatMay, type Viewer } from '../../model/access.ts'
import { inTransaction } from '../transaction.ts'
import { contentTables, ownerTables, rightsOf } from './walled-tables.ts'

/** The role that requests act in: row level security gives it the rows of one tenant and nothing else. */
export const tenantRole = 'verbatim_tenant'

/** Grows when what is below changes: policies of a lower number are replaced at the next start, of a higher one left alone. */
const version = 3
const policy = `verbatim_v${version}`
const suffixes = ['owner', 'select', 'insert', 'update', 'delete']

const ownTenant = `(select nullif(current_setting('verbatim.tenant', true), '')::integer)`
const ownPrincipal = `(select nullif(current_setting('verbatim.principal', true), '')::uuid)`

/** Whether a session was shared with nobody in particular, or with the principal in one of the roles. Nobody's principal is the owner of all. */
function isOpen(column: string, roles: readonly string[]): string {
  const granted = `select from session_grants g where g.tenant_id = ${ownTenant} and g.session_id = ${column}`
  const fits = `g.principal_id = ${ownPrincipal} and g.role in (${roles.map((role) => `'${role}'`).join(', ')})`
  return `(${ownPrincipal} is null or ${column} is null or not exists (${granted}) or exists (${granted} and ${fits}))`
}

interface Conditions {
  readonly read: string
  readonly write: string
}

/** Which rows of a table the tenant's role sees, and which it may leave behind. */
function conditionsOf({ name: table, is_of_session: isOfSession }: WalledTable, owner: string): Conditions {
  // The role is known in every database of a server: only who owns this one may act in it here.
  const tenant = `tenant_id = ${ownTenant} and (select pg_has_role(session_user, ${owner}, 'member'))`
  const { list, read: readers, write: writers } = rolesThatMay
  // With the table's name, as the table of grants has a column of the same.
  const open = (column: string, roles: readonly string[]) => `${tenant} and ${isOpen(`${table}.${column}`, roles)}`
  if (table === 'sessions') return { read: open('id', list), write: open('id', writers) }
  if (table === 'messages') return { read: open('session_id', readers), write: open('session_id', writers) }
  const read = contentTables.has(table) && isOfSession ? open('session_id', readers) : tenant
  return { read, write: read }
}

function statementsFor(table: WalledTable, owner: Owner): string[] {
  const { name, policies } = table
  const { read, write } = conditionsOf(table, owner.literal)
  const rights = ownerTables.has(name) ? undefined : (rightsOf.get(name) ?? 'select, insert, update, delete')
  const on = `on ${name} for`
  return [
    `alter table ${name} enable row level security`,
    `alter table ${name} force row level security`,
    ...policies.map(({ name: former }) => `drop policy ${former} on ${name}`),
    // A condition that is true leaves the owner its indexes: one on an array is of no use beside any other condition.
    `create policy ${policy}_owner on ${name} to ${owner.identifier} using (true) with check (true)`,
    `create policy ${policy}_select ${on} select to ${tenantRole} using (${read})`,
    `create policy ${policy}_insert ${on} insert to ${tenantRole} with check (${write})`,
    `create policy ${policy}_update ${on} update to ${tenantRole} using (${read}) with check (${write})`,
    `create policy ${policy}_delete ${on} delete to ${tenantRole} using (${write})`,
    `revoke all on ${name} from ${tenantRole}`,
    ...(rights === undefined ? [] : [`grant ${rights} on ${name} to ${tenantRole}`]),
  ]
}

interface Policy {
  readonly name: string
  /** Whether it is the one for this login. */
  readonly is_mine: boolean
}

interface WalledTable {
  readonly name: string
  /** Ours, of whichever version. */
  readonly policies: readonly Policy[]
  readonly is_forced: boolean
  readonly is_granted: boolean
  /** Facts are since a later migration than their table. */
  readonly is_of_session: boolean
}

interface Owner {
  /** As a name, and in quotes, ready to be written into a statement. */
  readonly identifier: string
  readonly literal: string
  readonly schema: string
}

/** What the whole store shares, of which status shows something. */
const sharedTables = ['provider_usage']

/** Every table with a tenant's rows. Partitions are reached through their table only: nobody has a right on them. */
async function tenantTables(sql: Sql): Promise<WalledTable[]> {
  return await sql<WalledTable[]>`
    select c.relname as name, c.relrowsecurity and c.relforcerowsecurity as is_forced,
      has_table_privilege(${tenantRole}, c.oid, 'select') as is_granted,
      exists (select from pg_attribute s where s.attrelid = c.oid and s.attname = 'session_id' and not s.attisdropped) as is_of_session,
      (select coalesce(jsonb_agg(jsonb_build_object('name', polname, 'is_mine', polroles = array[(select oid from pg_roles where rolname = current_user)])), '[]')
       from pg_policy where polrelid = c.oid and polname ~ '^verbatim_v[0-9]+(_|$)') as policies
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
    where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = current_schema()::regnamespace
    order by c.relname`
}

function stands({ name, is_forced: isForced, is_granted: isGranted, policies }: WalledTable): boolean {
  const versions = policies.map((one) => Number(/^verbatim_v(\d+)/.exec(one.name)?.[1]))
  // A newer program has been here, and knows more.
  if (isForced && versions.some((other) => other > version)) return true
  const names = new Map(policies.map((one) => [one.name, one]))
  return (
    isForced &&
    isGranted === !ownerTables.has(name) &&
    policies.length === suffixes.length &&
    suffixes.every((suffix) => names.has(`${policy}_${suffix}`)) &&
    names.get(`${policy}_owner`)?.is_mine === true
  )
}

/** Whether each table of tenants has its wall, and there is one for vectors where there can be. */
export async function wallsStand(sql: Sql): Promise<boolean> {
  // Without the role the tables cannot be asked for its rights.
  return (await canActAsTenant(sql)) && (await tenantTables(sql)).every(stands) && !(await lacksVectorTable(sql))
}

/**
 * Puts row level security around every table of tenants, forced upon the owner of the tables too, who is let through by a
 * policy. To be called by one process at a time. Throws UnavailableError where the role for it is missing and cannot be made.
 */
export async function raiseWalls(sql: Sql): Promise<void> {
  await ensureRole(sql)
  if (await lacksVectorTable(sql)) await sql`select make_unit_vectors()`
  const [owner] = await sql<Owner[]>`
    select quote_ident(current_user) as identifier, quote_literal(current_user) as literal, quote_ident(current_schema()) as schema`
  if (owner === undefined) throw new Error('current_user is nobody')
  await sql.unsafe(`grant usage on schema ${owner.schema} to ${tenantRole}`)
  await refuseHiddenSchema(sql)
  // A transaction a table: each is locked for a moment, and those that save wait for no other.
  for (const table of (await tenantTables(sql)).filter((one) => !stands(one)))
    await inTransaction(sql, async (transaction) => {
      for (const statement of statementsFor(table, owner)) await transaction.unsafe(statement)
    })
  for (const table of sharedTables) {
    const [there] = await sql`select where to_regclass(${table}) is not null`
    if (there !== undefined) await sql.unsafe(`grant select on ${table} to ${tenantRole}`)
  }
}

/** Whether the server got pgvector after the store was set up. */
async function lacksVectorTable(sql: Sql): Promise<boolean> {
  const [row] = await sql<{ lacks: boolean }[]>`
    select to_regclass('unit_vectors') is null and to_regprocedure('make_unit_vectors()') is not null
      and exists (select from pg_extension where extname = 'vector') as lacks`
  return row?.lacks === true
}

/** A schema with the name of the login is in its search path alone. */
async function refuseHiddenSchema(sql: Sql): Promise<void> {
  const [own, seen] = await inTransaction(sql, async (transaction) => {
    const mine = await transaction<{ schema: string | null }[]>`select current_schema() as schema`
    await transaction.unsafe(`set local role ${tenantRole}`)
    return [
      mine[0]?.schema,
      (await transaction<{ schema: string | null }[]>`select current_schema() as schema`)[0]?.schema,
    ]
  })
  if (own === seen) return
  throw new UnavailableError(
    `Cannot keep tenants apart as the schema "${own}" of the store is not found by the role "${tenantRole}"`,
    { remedy: `Run: alter database … set search_path = "${own}" (with the name of the database), and start again` },
  )
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
