import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

import { afterEach, expect, test } from 'vitest'

import { UnavailableError } from '../../src/errors.ts'
import { readStatus } from '../../src/store/embedded/daemon/daemon-status.ts'
import { startDaemonEarly } from '../../src/store/embedded/ensure-daemon.ts'
import { homePathsOf, socketPathOf } from '../../src/store/embedded/home.ts'
import { withReconnect } from '../../src/store/reconnect.ts'
import { isAlive } from '../support/is-alive.ts'
import { StoreFixture, testVersion, until } from './store-fixture.ts'

const stores: StoreFixture[] = []

function newStore(): StoreFixture {
  const store = new StoreFixture()
  stores.push(store)
  return store
}

afterEach(async () => {
  await Promise.all(stores.splice(0).map(async (store) => store.dispose()))
}, 30_000)

test('of 6 daemons started at once one serves and five exit quietly', { timeout: 60_000 }, async () => {
  const store = newStore()
  const daemons = Array.from({ length: 6 }, () => store.startDaemon())
  let output = ''
  for (const { child } of daemons) child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const exited: (number | null)[] = []
  for (const { exit } of daemons) void exit.then((code) => exited.push(code))
  await until(() => exited.length === 5, 30_000)
  expect(exited).toEqual([0, 0, 0, 0, 0])
  expect(await store.connect().sql`select 1 as one`).toEqual([{ one: 1 }])
  expect(daemons.filter(({ child }) => child.exitCode === null)).toHaveLength(1)
  expect(output).toBe('')
})

test('connectEmbedded() starts the daemon by itself, and again after it was killed', { timeout: 60_000 }, async () => {
  const store = newStore()
  const { sql } = store.connect()
  await sql`create table kept (n int)`
  await sql`insert into kept values (1)`
  const pid = store.daemonPid()
  store.kill()
  expect(await withReconnect(async () => sql`select n from kept`)).toEqual([{ n: 1 }])
  expect(store.daemonPid()).not.toBe(pid)
})

test(
  'a daemon without clients leaves after its idle time and closes the store cleanly',
  { timeout: 60_000 },
  async () => {
    const store = newStore()
    const { exit } = store.startDaemon('--idle-ms', '300')
    expect(await exit).toBe(0)
    const paths = homePathsOf(store.home)
    expect(readStatus(paths.status)).toMatchObject({ state: 'stopped', version: testVersion })
    expect(readFileSync(paths.log, 'utf8')).toContain('leaves: idle')
    expect(existsSync(socketPathOf(store.home))).toBe(false)
  },
)

test(
  'SIGTERM closes cleanly: what runs is answered, and the next client finds the rows',
  { timeout: 60_000 },
  async () => {
    const store = newStore()
    const { child, exit } = store.startDaemon()
    await store.daemonReady()
    const { sql } = store.connect()
    await sql`create table kept (n int)`
    const insert = withReconnect(async () => sql`insert into kept values (1)`)
    child.kill('SIGTERM')
    await insert
    expect(await exit).toBe(0)
    const rows = await withReconnect(async () => sql`select n from kept`)
    expect(rows.length).toBeGreaterThanOrEqual(1)
  },
)

test('a newer client makes the daemon leave and gets one of its own version', { timeout: 60_000 }, async () => {
  const store = newStore()
  const old = store.connect({ version: '1.2.3' })
  await old.sql`create table kept (n int)`
  const oldPid = store.daemonPid()
  const newer = store.connect({ version: '1.3.0' })
  const ask = async (): Promise<unknown> => newer.sql`select count(*)::int as n from kept`
  expect(await withReconnect(ask)).toEqual([{ n: 0 }])
  await until(() => readStatus(homePathsOf(store.home).status)?.version === '1.3.0', 10_000)
  expect(store.daemonPid()).not.toBe(oldPid)
  const newPid = store.daemonPid()
  expect(await withReconnect(async () => old.sql`select 1 as one`)).toEqual([{ one: 1 }])
  expect(store.daemonPid()).toBe(newPid)
})

test('two homes are two stores', { timeout: 60_000 }, async () => {
  const [left, right] = [newStore().connect(), newStore().connect()]
  await Promise.all([left.sql`create table only_left (n int)`, right.sql`select 1`])
  await expect(right.sql`select * from only_left`).rejects.toMatchObject({ code: '42P01' })
  expect(await left.sql`select * from only_left`).toEqual([])
})

test('startDaemonEarly() needs no waiting, and the first query finds the daemon', { timeout: 60_000 }, async () => {
  const store = newStore()
  startDaemonEarly({ home: store.home, version: testVersion, idleMs: 5_000 })
  startDaemonEarly({ home: store.home, version: testVersion, idleMs: 5_000 })
  expect(await store.connect().sql`select 1 as one`).toEqual([{ one: 1 }])
})

test('a store that cannot be opened is told with the reason of the daemon', { timeout: 60_000 }, async () => {
  const store = newStore()
  const absent = `${store.home}/no-migrations`
  const { sql } = store.connect({ migrationsFolder: absent })
  const error: unknown = await sql`select 1`.catch((cause: unknown) => cause)
  expect(error).toBeInstanceOf(UnavailableError)
  expect(String(error)).toContain('no-migrations')
})

test(
  'a daemon whose lock is held but which does not answer is named with its process',
  { timeout: 60_000 },
  async () => {
    const store = newStore()
    const { exit } = store.startDaemon()
    await store.daemonReady()
    await store.connect().sql`select 1`
    rmSync(socketPathOf(store.home))
    const { sql } = store.connect({ startMs: 1_500 })
    const pid = store.daemonPid()
    await expect(sql`select 1`).rejects.toThrow(`version ${testVersion}, process ${pid}, was last "ready"`)
    store.kill('SIGTERM')
    expect(await exit).toBe(0)
  },
)

test("a stale socket and a stale status of a killed daemon are in nobody's way", { timeout: 60_000 }, async () => {
  const store = newStore()
  const { exit } = store.startDaemon()
  await store.daemonReady()
  await store.connect().sql`select 1`
  store.kill()
  await exit
  writeFileSync(homePathsOf(store.home).status, '{"half')
  expect(existsSync(socketPathOf(store.home))).toBe(true)
  expect(await store.connect().sql`select 1 as one`).toEqual([{ one: 1 }])
})

test(
  'an engine that does not answer in time is restarted, and whoever waits is told',
  { timeout: 60_000 },
  async () => {
    const store = newStore()
    const { child } = store.startDaemon('--answer-ms', '1500')
    await store.daemonReady()
    const { sql } = store.connect()
    await sql`create table kept (n int)`
    await sql`insert into kept values (1)`
    // 10^10 rows: PGlite has no statement_timeout, so only the watchdog ends it.
    const endless = sql`select count(*) from generate_series(1, 100000) a, generate_series(1, 100000) b`
    const outcomes = await Promise.allSettled([endless, sleep(100).then(async () => sql`select 1`)])
    const told = {
      code: '58030',
      message: 'Cannot use the store as its engine did not answer within 1500 ms',
      hint: 'Try again: the engine is being restarted',
    }
    expect(outcomes).toMatchObject([{ reason: told }, { reason: told }])
    expect(await withReconnect(async () => sql`select n from kept`)).toEqual([{ n: 1 }])
    expect(store.daemonPid()).toBe(child.pid)
    expect(isAlive(child.pid ?? 0)).toBe(true)
  },
)
