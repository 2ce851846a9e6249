import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, expect, test } from 'vitest'

import { DaemonLog } from '../../src/store/embedded/daemon/daemon-log.ts'
import { Maintenance } from '../../src/store/embedded/daemon/maintenance.ts'
import { StoreFixture } from './store-fixture.ts'

const MiB = 1024 * 1024
const store = new StoreFixture()
const scratch = mkdtempSync(join(tmpdir(), 'verbatim-care-'))
const log = new DaemonLog(join(scratch, 'log'))

afterAll(async () => {
  await store.dispose()
  rmSync(scratch, { recursive: true })
})

test('the daemon checkpoints, so that WAL does not grow without end', { timeout: 60_000 }, async () => {
  const { sql } = store.connect()
  await sql`create table filled (body text)`
  const body = 'x'.repeat(512 * 1024)
  // Not compressible to nothing in the WAL, as each row is stored out of line first.
  await sql`alter table filled alter column body set storage external`
  for (let n = 0; n < 160; n += 1) await sql`insert into filled values (${body})`
  const [wal = { behind: '', written: '' }] = await sql<{ behind: string; written: string }[]>`
    select pg_wal_lsn_diff(pg_current_wal_lsn(), redo_lsn)::bigint as behind,
           pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint as written from pg_control_checkpoint()`
  expect(Number(wal.written)).toBeGreaterThan(80 * MiB)
  expect(Number(wal.behind)).toBeLessThan(48 * MiB)
})

test('Maintenance vacuums and analyses what changed once the store is quiet', { timeout: 60_000 }, async () => {
  const { sql } = store.connect({ max: 1 })
  await sql`create table "Changed" (n int)`
  await sql`insert into "Changed" select generate_series(1, 1000)`
  await sql`delete from "Changed"`
  const maintenance = new Maintenance(sql, { log, quietMs: 100, vacuumBytes: 0 })
  const vacuumed = async (): Promise<boolean> => {
    const rows = await sql`select last_vacuum is not null as done from pg_stat_user_tables where relname = 'Changed'`
    return rows[0]?.['done'] === true
  }
  await expect.poll(vacuumed, { timeout: 30_000 }).toBe(true)
  maintenance.stop()
})
