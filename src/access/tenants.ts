import { ConflictError, InputError, NotFoundError } from '../errors.ts'
import { limits } from '../limits.ts'
import { firstTenantId } from '../model/access.ts'
import { checkName } from '../model/validate.ts'
import { findTenant, insertTenant, readTenants, setTenantDisabled, type Tenant } from '../store/access/tenants.ts'
import type { Database } from '../store/database.ts'

/**
 * Makes a tenant: a memory of its own beside the others of a server. Errors: InputError, and ConflictError where there is one of
 * the name, which may be somebody else's: nobody is to take it for a new one.
 */
export async function createTenant(database: Database, name: string): Promise<Tenant> {
  checkName(name, { field: 'name', charactersMax: limits.nameCharactersMax, isRequired: true })
  if (database.kind === 'embedded')
    throw new InputError('Cannot make another tenant as the embedded store has no wall between tenants', {
      remedy: 'Set DATABASE_URL to a PostgreSQL server, or give each person a VERBATIM_HOME of their own',
    })
  for (;;) {
    try {
      return await makeTenant(database, name)
    } catch (error) {
      // Two were made at once and took the same number.
      if (!(error instanceof Error && 'code' in error && error.code === '23505')) throw error
    }
  }
}

async function makeTenant(database: Database, name: string): Promise<Tenant> {
  let wasAbsent = false
  const { tenant, isNew } = await database.run(async (sql) => {
    const there = await findTenant(sql, name)
    // One that was not there at the first attempt was made by it: its answer was lost.
    if (there !== undefined) return { tenant: there, isNew: wasAbsent }
    wasAbsent = true
    return { tenant: await insertTenant(sql, name), isNew: true }
  })
  if (tenant !== undefined && isNew) return tenant
  const which = tenant === undefined ? '' : `: number ${tenant.id}, made at ${tenant.createdAt}`
  throw new ConflictError(`Cannot make tenant "${name}" as there is one of this name${which}`, {
    remedy:
      'Choose another name; "verbatim tenant list" shows them. Where you made it just now and had no answer, it is done: use it',
  })
}

export async function listTenants(database: Database): Promise<Tenant[]> {
  return await database.run(readTenants)
}

/** Tokens of a disabled tenant are refused within some seconds; what it holds stays. */
export async function setDisabled(database: Database, name: string, isDisabled: boolean): Promise<void> {
  if (!(await database.run((sql) => setTenantDisabled(sql, name, isDisabled)))) throw unknownTenant(name)
}

/** The number of the tenant that the settings name; the first where they name none. NotFoundError where there is none. */
export async function tenantIdOf(database: Database, name: string | undefined): Promise<number> {
  if (name === undefined) return firstTenantId
  const tenant = await database.run((sql) => findTenant(sql, name))
  if (tenant === undefined) throw unknownTenant(name)
  return tenant.id
}

/** Several tenants in a store whose engine keeps nobody from anything are an accident about to happen. */
export async function refuseTenantsWithoutWall(database: Database): Promise<void> {
  if (database.kind === 'server') return
  const tenants = await listTenants(database)
  if (tenants.length <= 1) return
  throw new InputError(
    `Cannot serve ${tenants.length} tenants from the embedded store as its engine has no wall between them`,
    { remedy: 'Set DATABASE_URL to a PostgreSQL server' },
  )
}

function unknownTenant(name: string): NotFoundError {
  return new NotFoundError(`There is no tenant "${name}"`, {
    remedy: '"verbatim tenant list" shows those that there are; "verbatim tenant create" makes one',
  })
}
