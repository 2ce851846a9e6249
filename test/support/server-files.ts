import { readdirSync } from 'node:fs'
import { join } from 'node:path'

import type { Sql } from 'postgres'

/**
 * The directories of a server in which something of one of its databases may be: its own, and all that is no database's, as the log is
 * and what queries put aside. The connection is an administrator's, on the machine of the server.
 */
export async function directoriesOf(sql: Sql, databaseUrl: string | undefined): Promise<string[]> {
  const name = new URL(databaseUrl ?? '').pathname.slice(1)
  const [row] = await sql<{ path: string; oid: string }[]>`
    select current_setting('data_directory') as path, oid::text from pg_database where datname = ${name}`
  if (row === undefined) throw new Error('The database is on another server')
  const shared = readdirSync(row.path, { withFileTypes: true }).filter((at) => at.isDirectory() && at.name !== 'base')
  return [...shared.map((at) => at.name), join('base', row.oid), join('base', 'pgsql_tmp')].map((at) =>
    join(row.path, at),
  )
}
