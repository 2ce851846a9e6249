import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, expect, test } from 'vitest'

import { withReconnect } from '../../src/store/reconnect.ts'
import { StoreFixture } from './store-fixture.ts'

const mountPoint = mkdtempSync(join(tmpdir(), 'verbatim-full-'))
const mounted = mountSmallDisk()

function mountSmallDisk(): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=112m', 'tmpfs', mountPoint], { stdio: 'pipe' })
    return true
  } catch (error) {
    console.warn(`Skipped the full disk tests as a tmpfs cannot be mounted here: ${String(error).split('\n')[0]}`)
    return false
  }
}

afterAll(() => {
  if (mounted) execFileSync('umount', [mountPoint])
  rmSync(mountPoint, { recursive: true, force: true })
})

/** Leaves `bytes` free on the small disk; the file that fills it is what a user deletes. */
function fillUpTo(bytes: number): string {
  const stats = statfsSync(mountPoint)
  const file = join(mountPoint, 'filler')
  writeFileSync(file, Buffer.alloc(Math.max(0, stats.bavail * stats.bsize - bytes)))
  return file
}

async function saveUntilRefused(
  store: StoreFixture,
): Promise<{ saved: Set<number>; error: unknown; answeredMs: number }> {
  const { sql } = store.connect()
  await sql`create table if not exists saved (n int primary key, body text not null)`
  const saved = new Set<number>()
  for (let n = 0; n < 20_000; n += 1) {
    const startedAt = performance.now()
    try {
      await sql`insert into saved values (${n}, ${'x'.repeat(20_000) + String(Math.random())}) on conflict do nothing`
      saved.add(n)
    } catch (error) {
      return { saved, error, answeredMs: performance.now() - startedAt }
    }
  }
  throw new Error('Cannot test a full disk as 20,000 rows must fill it')
}

async function expectRecovery(store: StoreFixture, saved: ReadonlySet<number>, filler: string): Promise<void> {
  const { sql } = store.connect()
  const read = async (): Promise<readonly { n: number }[]> => sql<{ n: number }[]>`select n from saved`
  const startedAt = performance.now()
  const stored = new Set((await withReconnect(read)).map(({ n }) => n))
  expect(performance.now() - startedAt).toBeLessThan(10_000)
  expect([...saved].filter((n) => !stored.has(n))).toEqual([])
  await expect(withReconnect(async () => sql`insert into saved values (-1, 'x')`)).rejects.toMatchObject({
    code: '53100',
  })
  rmSync(filler)
  const save = async (): Promise<string> => {
    try {
      await sql`insert into saved values (-2, 'x') on conflict do nothing`
      return 'saved'
    } catch (error) {
      return `refused: ${String(error)}`
    }
  }
  await expect.poll(save, { timeout: 10_000 }).toBe('saved')
  expect((await read()).length).toBeGreaterThanOrEqual(saved.size + 1)
}

test.skipIf(!mounted)(
  'a disk that runs full refuses saves by name, goes on reading and saves again',
  {
    timeout: 120_000,
  },
  async () => {
    const store = new StoreFixture(join(mountPoint, 'home'))
    try {
      await store.connect().sql`select 1`
      const filler = fillUpTo(30 * 1024 * 1024)
      const { saved, error, answeredMs } = await saveUntilRefused(store)
      expect(error).toMatchObject({ code: '53100', hint: expect.stringContaining('Free some space') })
      expect(answeredMs).toBeLessThan(2_000)
      await expectRecovery(store, saved, filler)
    } finally {
      await store.dispose()
    }
  },
)

test.skipIf(!mounted)(
  'a disk that is full at once loses the engine, which recovers with the reserve',
  {
    timeout: 120_000,
  },
  async () => {
    const store = new StoreFixture(join(mountPoint, 'home'))
    try {
      const { sql } = store.connect()
      await sql`create table if not exists saved (n int primary key, body text not null)`
      await sql`insert into saved values (0, 'x')`
      const filler = fillUpTo(0)
      // One statement that needs more than there is, before the daemon has looked at the disk.
      const startedAt = performance.now()
      const big = sql`insert into saved select n, repeat(md5(n::text), 2000) from generate_series(1, 3000) n`
      await expect(big).rejects.toMatchObject({ code: '53100' })
      expect(performance.now() - startedAt).toBeLessThan(4_000)
      await expectRecovery(store, new Set([0]), filler)
    } finally {
      await store.dispose()
    }
  },
)
