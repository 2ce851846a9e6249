import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import postgres from 'postgres'
import { afterEach, describe, expect, inject, it } from 'vitest'
import { z } from 'zod'

import { openVerbatim } from '../../src/compose.ts'
import { localCaller } from '../../src/model/access.ts'
import { migrateServer } from '../../src/store/server/migrate.ts'
import { quietConfig } from '../support/quiet-config.ts'
import { makeDatabase, type TestDatabase } from '../support/test-store.ts'

const cleanUp: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const clean of cleanUp.splice(0).toReversed()) await clean()
})

async function emptyDatabase(): Promise<TestDatabase> {
  const database = await makeDatabase({ empty: true })
  cleanUp.push(database.drop)
  return database
}

function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'verbatim-migrate-'))
  cleanUp.push(() => rmSync(path, { recursive: true, force: true }))
  return path
}

function addressOf({ url }: TestDatabase) {
  return { url, applicationName: 'test' }
}

/** The migrations of this package up to a number. */
function firstMigrations(count: number): string {
  const folder = temporaryDirectory()
  cpSync('drizzle', folder, { recursive: true })
  const file = join(folder, 'meta', '_journal.json')
  const journal = z.looseObject({ entries: z.array(z.unknown()) }).parse(JSON.parse(readFileSync(file, 'utf8')))
  writeFileSync(file, JSON.stringify({ ...journal, entries: journal.entries.slice(0, count) }))
  return folder
}

async function query<T extends object>(database: TestDatabase, statement: string): Promise<readonly T[]> {
  const sql = postgres(database.url, { max: 1, onnotice: () => undefined })
  try {
    return await sql.unsafe<T[]>(statement)
  } finally {
    await sql.end()
  }
}

describe('migrateServer()', () => {
  it('lets several processes begin at once, and does everything once', async () => {
    const database = await emptyDatabase()
    await Promise.all(Array.from({ length: 6 }, () => migrateServer(addressOf(database), 'drizzle')))
    const journal = z
      .looseObject({ entries: z.array(z.unknown()) })
      .parse(JSON.parse(readFileSync('drizzle/meta/_journal.json', 'utf8')))
    expect(await query(database, 'select id from drizzle.__drizzle_migrations')).toHaveLength(journal.entries.length)
    const partitions = await query(database, `select from pg_inherits where inhparent = 'messages'::regclass`)
    expect(partitions).toHaveLength(16)
    // A lock that was left would stop the next.
    await migrateServer(addressOf(database), 'drizzle')
    // Of this database: other tests use the same server meanwhile.
    const locks = `select from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`
    expect(await query(database, locks)).toHaveLength(0)
  })

  it.each([2, 4, 6])('brings a store of %i migrations up to date, and what it holds is found', async (count) => {
    const database = await emptyDatabase()
    await migrateServer(addressOf(database), firstMigrations(count))
    const id = '01900000-0000-7000-8000-000000000001'
    const payload = '"berth fourteen"'
    const saved = JSON.stringify([
      {
        place: 1,
        id,
        role: 'user',
        sender: 'Ada',
        kind: 'message',
        trust: 'owner',
        media_type: 'application/json',
        sha256: createHash('sha256').update(payload).digest('hex'),
        bytes: payload.length,
        payload_at: 0,
        payload_length: payload.length,
      },
    ])
    const totals = JSON.stringify({
      count: 1,
      bytes: payload.length,
      senders: '{Ada}',
      models: '{}',
      switches: 0,
      input: 0,
      output: 0,
      cache_read: 0,
      cache_write: 0,
      tools: 0,
      last_id: id,
    })
    await query(
      database,
      `select save_messages(1, '{"id":"01900000-0000-7000-8000-000000000002","source":"mcp","create":true}', '${saved}', '${totals}',
        '${payload}'::bytea, false, 'test', 'test', 1000, 100000)`,
    )
    await using verbatim = await openVerbatim(quietConfig(temporaryDirectory(), database.url))
    const behind = async () => (await verbatim.status(localCaller('test'))).index
    await expect.poll(behind, { timeout: 60_000 }).toEqual({ messages_behind: 0, failed_for_good: 0 })
    const found = await verbatim.search(localCaller('test'), {
      query: 'berth',
      limit: 5,
      maxTokens: 1_000,
      mode: 'full_text',
      context: 0,
      format: 'text',
    })
    expect(found.coverage.messages_searched).toBe(1)
    expect(await query(database, 'select from search_units')).toHaveLength(1)
  })

  it('says which right is missing', async () => {
    const database = await emptyDatabase()
    const { adminUrl } = inject('testServer')
    const name = new URL(database.url).pathname.slice(1)
    const admin = postgres(adminUrl, { max: 1, onnotice: () => undefined })
    cleanUp.push(() => admin.end())
    const role = `stranger_${process.pid}`
    await admin.unsafe(`create role ${role} login`)
    cleanUp.push(async () => void (await admin.unsafe(`drop role ${role}`)))
    const url = new URL(database.url)
    url.username = role
    const error = await migrateServer({ url: url.href, applicationName: 'test' }, 'drizzle').catch((e: unknown) => e)
    expect(error).toMatchObject({
      message: `Cannot set up the database "${name}" as the role "${role}" may not make tables in it`,
      remedy: expect.stringContaining(`grant create on database "${name}" to "${role}"`),
    })
  })
})
