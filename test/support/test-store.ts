import { randomUUID } from 'node:crypto'

import postgres from 'postgres'
import { inject } from 'vitest'

/** Whether this run of a test is on a PostgreSQL server; else it is on the embedded store. */
export const isOnServer = process.env['TEST_STORE'] === 'server'
/** Whether vectors cannot be kept, as the server was found without pgvector: the run has said so at its start. */
export const lacksVectors = isOnServer && !inject('testServer').hasVectors
/** The store by its name in replies. */
export const storeKind = isOnServer ? 'server' : 'embedded'

/** A database of its own on the server of the tests. */
export interface TestDatabase {
  readonly url: string
  readonly drop: () => Promise<void>
}

/** Makes a database with the product's schema, or an empty one. */
export async function makeDatabase(options: { readonly empty?: boolean } = {}): Promise<TestDatabase> {
  const { adminUrl, url, template } = inject('testServer')
  const name = `verbatim_${randomUUID().replaceAll('-', '')}`
  const owner = new URL(url).username
  const from = options.empty === true ? '' : `template ${template}`
  await asAdmin(adminUrl, `create database ${name} ${from} ${owner === '' ? '' : `owner ${owner}`}`)
  const own = new URL(url)
  own.pathname = `/${name}`
  return { url: own.href, drop: () => asAdmin(adminUrl, `drop database if exists ${name} with (force)`) }
}

async function asAdmin(url: string, statement: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    await sql.unsafe(statement)
  } finally {
    await sql.end()
  }
}
