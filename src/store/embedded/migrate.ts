import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate } from 'drizzle-orm/postgres-js/migrator'
import postgres from 'postgres'

import type { ConnectionOptions } from './connection-options.ts'

/** Brings the schema up to date. Only the daemon does it, so no lock is needed. */
export async function migrateEmbedded(connection: ConnectionOptions, migrationsFolder: string): Promise<void> {
  const sql = postgres({ ...connection, max: 1, fetch_types: false, onnotice: () => undefined })
  try {
    await migrate(drizzle(sql), { migrationsFolder })
  } finally {
    await sql.end({ timeout: 1 })
  }
}
