import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import type { Sql } from 'postgres'
import { z } from 'zod'

import { codeOf } from '../errors.ts'

const journalSchema = z.object({ entries: z.array(z.object({ when: z.number() })).min(1) })

/**
 * Whether all migrations of a folder were applied to a database, as drizzle decides it: its own table names the newest. To load
 * drizzle takes as long as a third of what a command takes besides, and nearly every process finds that there is nothing to do.
 */
export async function isMigrated(sql: Sql, migrationsFolder: string): Promise<boolean> {
  const journal = await readFile(join(migrationsFolder, 'meta', '_journal.json'), 'utf8')
  const newest = Math.max(...journalSchema.parse(JSON.parse(journal)).entries.map(({ when }) => when))
  try {
    const [row] = await sql<{ newest: string | null }[]>`
      select max(created_at) as newest from drizzle.__drizzle_migrations`
    return Number(row?.newest ?? 0) >= newest
  } catch (error) {
    // No such table, no such schema: the database is empty.
    if (['42P01', '3F000'].includes(codeOf(error) ?? '')) return false
    throw error
  }
}

/** Applies the migrations of a folder that a database does not have yet. */
export async function applyMigrations(sql: Sql, migrationsFolder: string): Promise<void> {
  const [{ drizzle }, { migrate }] = await Promise.all([
    import('drizzle-orm/postgres-js'),
    import('drizzle-orm/postgres-js/migrator'),
  ])
  await migrate(drizzle(sql), { migrationsFolder })
}
