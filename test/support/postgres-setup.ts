import postgres from 'postgres'
import type { TestProject } from 'vitest/node'

import { migrateServer } from '../../src/store/server/migrate.ts'
import { findPostgres, makeRoles, ordinaryRole, startPostgres, withPath } from './postgres.ts'

/** The server on which each test makes a database of its own. */
export interface TestServer {
  /** Of a role that may make databases, to the database `postgres`. */
  readonly adminUrl: string
  /** Of the role that the product runs as: it may do what it owns. */
  readonly url: string
  /** A database with the schema, for copies. */
  readonly template: string
  readonly hasVectors: boolean
}

declare module 'vitest' {
  export interface ProvidedContext {
    testServer: TestServer
  }
}

/** Starts the PostgreSQL of the tests, where none was named, and makes a database with the schema. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const found = findPostgres(process.env)
  if (found.kind === 'none') throw new Error(found.reason)
  const running = found.kind === 'programs' ? await startPostgres(found.directory) : undefined
  const adminUrl = running?.url ?? (found.kind === 'url' ? found.url : '')
  const template = `verbatim_template_${process.pid}`
  const admin = postgres(adminUrl, { max: 1, onnotice: () => undefined })
  const [rights] = await admin<{ bypasses: boolean }[]>`
    select rolsuper or rolbypassrls as bypasses from pg_roles where rolname = current_user`
  // The product refuses a role for which row level security does not hold.
  const isAdministrator = rights?.bypasses === true
  if (isAdministrator) await makeRoles(admin)
  const url = withPath(adminUrl, { user: isAdministrator ? ordinaryRole : undefined, database: template })
  await admin.unsafe(`create database ${template}${isAdministrator ? ` owner ${ordinaryRole}` : ''}`)
  const hasVectors = await makeVectorExtension(withPath(adminUrl, { database: template }))
  await migrateServer({ url, applicationName: 'verbatim-tests' }, 'drizzle')
  const [version] = await admin<{ version: string }[]>`select current_setting('server_version') as version`
  console.warn(`Server tests use PostgreSQL ${version?.version}, ${hasVectors ? 'with' : 'WITHOUT'} pgvector`)
  project.provide('testServer', { adminUrl, url: withPath(url, { database: '' }), template, hasVectors })
  return async () => {
    await admin.unsafe(`drop database if exists ${template} with (force)`)
    await admin.end()
    await running?.stop()
  }
}

/** An ordinary role may not make it. */
async function makeVectorExtension(url: string): Promise<boolean> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    await sql`create extension if not exists vector`
    return true
  } catch {
    return false
  } finally {
    await sql.end()
  }
}
