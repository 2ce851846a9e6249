import type { Sql } from 'postgres'

import { codeOf, UnavailableError } from '../../errors.ts'
import { applyMigrations, isMigrated } from '../migrations.ts'
import { endsConnection } from '../reconnect.ts'
import { openPool, type ServerConnection } from './connection.ts'
import { refuseUnfitServer } from './fitness.ts'
import { raiseWalls, wallsStand } from './walls.ts'

/** Any number that no other program is likely to lock. */
const lockKey = 0x76_65_72_62
const partitions = 16
/** A migration of a large store takes minutes; one that hangs must not stop every other process for ever. */
const lockMs = 900_000

/**
 * Brings the schema of a server's database up to date, whoever else starts at the same time: one process does it, the
 * others wait for that. Throws UnavailableError where the server cannot be used at all.
 */
export async function migrateServer(address: ServerConnection, migrationsFolder: string): Promise<void> {
  // Settings of the connection, whichever it is: one that was lost and made again must not make a store of one partition.
  const settings = { 'verbatim.partitions': String(partitions), lock_timeout: String(lockMs) }
  const sql = openPool(address, { max: 1, statementMs: 0, settings })
  try {
    await refuseUnfitServer(sql)
    // So that a process that starts where nothing is to be done waits for no lock.
    if ((await isMigrated(sql, migrationsFolder)) && (await wallsStand(sql))) return
    // A lock of the connection, and the only connection of the pool: it is gone when this process is.
    await sql`select pg_advisory_lock(${lockKey})`
    await applyMigrations(sql, migrationsFolder)
    await raiseWalls(sql)
  } catch (error) {
    throw await withoutRights(sql, error)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

async function withoutRights(sql: Sql, error: unknown): Promise<unknown> {
  const cause = error instanceof Error && codeOf(error) === undefined ? error.cause : error
  // A connection that is refused can be asked nothing.
  if (codeOf(cause) !== '42501' || (cause instanceof Error && endsConnection(cause))) return error
  // Whose the messages are: a schema of migrations may be that of another program.
  const [row] = await sql<{ role: string; database: string; owner: string | null; rules: boolean | null }[]>`
    select current_user as role, current_database() as database, owner.rolname as owner, owner.rolsuper as rules
    from (select) one
      left join pg_class messages on messages.relname = 'messages' and messages.relnamespace = to_regnamespace('public')
      left join pg_roles owner on owner.oid = messages.relowner`
  if (row === undefined) throw new Error('A query of the session gave no row')
  const { role, database, owner, rules } = row
  // What belongs to an administrator is refused to be reassigned, as PostgreSQL itself may be part of it.
  const giving = `To give all that it has in this database to "${role}", run as an administrator there: reassign owned by "${owner}" to "${role}"`
  if (owner !== null && owner !== role)
    return new UnavailableError(
      `Cannot use the database "${database}" as its tables belong to the role "${owner}", and DATABASE_URL names "${role}"`,
      {
        remedy: `Name "${owner}" in DATABASE_URL${rules === true ? '' : `. ${giving}`}`,
        cause,
      },
    )
  return new UnavailableError(
    `Cannot set up the database "${database}" as the role "${role}" may not make tables in it`,
    {
      remedy: `Run as an administrator: grant create on database "${database}" to "${role}"; grant create on schema public to "${role}"`,
      cause,
    },
  )
}
