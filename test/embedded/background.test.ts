import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import postgres from 'postgres'
import { afterAll, expect, test } from 'vitest'

import { shippedMigrations } from '../../src/store/embedded/compiled.ts'
import { runDaemon } from '../../src/store/embedded/daemon/daemon.ts'
import type { DaemonOptions } from '../../src/store/embedded/daemon/daemon.ts'
import { StoreFixture, testVersion } from './store-fixture.ts'

const store = new StoreFixture(mkdtempSync(join(tmpdir(), 'verbatim-background-')))

afterAll(async () => {
  await store.dispose()
})

function serve(options: Partial<DaemonOptions>): { readonly stop: AbortController; readonly served: Promise<string> } {
  const stop = new AbortController()
  const migrationsFolder = shippedMigrations()
  const served = runDaemon({
    home: store.home,
    version: testVersion,
    migrationsFolder,
    signal: stop.signal,
    ...options,
  })
  return { stop, served }
}

test(
  'runDaemon() starts the background after the migrations, wakes it and stops it before the store closes',
  {
    timeout: 60_000,
  },
  async () => {
    const events: string[] = []
    const { stop, served } = serve({
      async startBackground(connection) {
        const sql = postgres({ ...connection, max: 1, fetch_types: false, onnotice: () => undefined })
        const tables = await sql`select 1 as there from pg_tables where tablename = 'sessions'`
        events.push(`started ${String(tables[0]?.['there'])}`)
        return {
          wake: () => events.push('woken'),
          async stop() {
            const rows = await sql`select 'open' as store`
            events.push(`stopped ${String(rows[0]?.['store'])}`)
            await sql.end({ timeout: 0 })
          },
        }
      },
    })
    const { sql } = store.connect()
    await sql`select 1`
    await expect.poll(() => events, { timeout: 20_000 }).toContain('woken')
    for (let n = 0; n < 20; n += 1) await sql`select ${n}::int`
    stop.abort()
    expect(await served).toBe('served')
    expect(events[0]).toBe('started 1')
    expect(events.at(-1)).toBe('stopped open')
    expect(events.length).toBeLessThan(20)
  },
)

test('runDaemon() serves although the background cannot start', { timeout: 60_000 }, async () => {
  const { stop, served } = serve({
    startBackground: async () => Promise.reject(new Error('Cannot start as nothing is set up')),
  })
  expect(await store.connect().sql`select 1 as one`).toEqual([{ one: 1 }])
  stop.abort()
  expect(await served).toBe('served')
})

test('the arrays of search units stay in their rows, as every search reads them', { timeout: 60_000 }, async () => {
  const { stop, served } = serve({})
  const { sql } = store.connect()
  const partitions = await sql<{ options: string[] | null }[]>`
    select c.reloptions as options from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'search_units'::regclass`
  expect(partitions.map(({ options }) => options)).toEqual([['toast_tuple_target=8160']])
  stop.abort()
  expect(await served).toBe('served')
})
