import { afterAll, expect, it } from 'vitest'

import { analyzeGrown } from '../../src/store/grown-tables.ts'
import { useStore } from '../sessions/store.ts'

const store = useStore()
const run = (statement: string) => store.open.stores.database.run((sql) => sql.unsafe(statement))

async function told(): Promise<number> {
  await store.open.stores.database.run(analyzeGrown)
  // Minus one where the planner was never told.
  const [about] = await run(`select reltuples::int as rows from pg_class where relname = 'Grown'`)
  return Number(about?.['rows'])
}

const add = (rows: number) => run(`insert into "Grown" select generate_series(1, ${rows})`)

afterAll(() => run('drop table "Grown"'))

it('tells the planner of a table that has twice the rows it was told of, and of no other', async () => {
  // A server that analyzes by itself counts rows whose process has not told of them yet, and they are counted twice.
  await run('create table "Grown" (n int) with (autovacuum_enabled = off)')
  await add(99)
  // What a process did is counted once it has a moment.
  const counted = async (rows: number) =>
    await expect
      .poll(
        async () =>
          Number((await run(`select n_live_tup from pg_stat_user_tables where relname = 'Grown'`))[0]?.['n_live_tup']),
        { timeout: 10_000 },
      )
      .toBe(rows)
  await counted(99)
  expect(await told()).toBeLessThan(1)
  await add(901)
  await counted(1_000)
  expect(await told()).toBe(1_000)
  await add(900)
  await counted(1_900)
  expect(await told()).toBe(1_000)
  await add(300)
  await counted(2_200)
  expect(await told()).toBe(2_200)
})
