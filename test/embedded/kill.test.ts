import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { expect, test } from 'vitest'

import { withReconnect } from '../../src/store/reconnect.ts'
import { faultCycles, killUnderWriters, useFreshStore } from './store-fixture.ts'

const store = useFreshStore()

/** Reads the table and compares it with what was acknowledged: each id once, with the bytes that were acknowledged. */
async function expectAllSaved(acknowledged: ReadonlyMap<string, string>): Promise<void> {
  const { sql } = store.current.connect()
  const rows = await withReconnect(async () => sql<{ id: string; body: string }[]>`select id, body from saved`)
  const stored = new Map(rows.map(({ id, body }) => [id, createHash('sha256').update(body).digest('hex')]))
  expect(stored.size).toBe(rows.length)
  const wrong = [...acknowledged].filter(([id, sha256]) => stored.get(id) !== sha256)
  expect(wrong).toEqual([])
}

async function createTable(): Promise<void> {
  await store.current.connect().sql`create table saved (id text primary key, body text not null)`
}

const cycles = faultCycles(5)

test(
  `no acknowledged row is lost or changed when the daemon is killed ${cycles} times under 8 writers`,
  {
    timeout: 60_000 + cycles * 15_000,
  },
  async () => {
    await createTable()
    const acknowledged = new Map<string, string>()
    const read = (line: string): void => {
      const [id = '', sha256 = ''] = line.split(' ')
      acknowledged.set(id, sha256)
    }
    const perWriter = cycles * 30
    const writers = Array.from({ length: 8 }, (_, n) =>
      store.current.startScript('save-rows.ts', [`w${n}`, String(perWriter)], read),
    )
    const kills = await killUnderWriters(store.current, writers, { acknowledged, killsMax: cycles })
    const ends = await Promise.all(writers.map(async ({ exit }) => exit))
    expect(ends).toEqual(ends.map(() => ({ code: 0, errors: '' })))
    expect(acknowledged.size).toBe(8 * perWriter)
    expect(kills).toBeGreaterThanOrEqual(cycles / 2)
    await expectAllSaved(acknowledged)
  },
)

test(
  `no acknowledged row is lost when ${cycles} writers are killed in the middle`,
  {
    timeout: 60_000 + cycles * 5_000,
  },
  async () => {
    await createTable()
    const acknowledged = new Map<string, string>()
    for (let cycle = 0; cycle < cycles; cycle += 1) {
      const writer = store.current.startScript('save-rows.ts', [`w${cycle}`, '1000000'], (line) => {
        const [id = '', sha256 = ''] = line.split(' ')
        acknowledged.set(id, sha256)
      })
      const before = acknowledged.size
      while (acknowledged.size === before) await sleep(10)
      await sleep(Math.random() * 100)
      writer.child.kill('SIGKILL')
      await writer.exit
    }
    expect(acknowledged.size).toBeGreaterThan(cycles)
    await expectAllSaved(acknowledged)
  },
)
