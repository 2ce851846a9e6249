import { expect, test } from 'vitest'

import { openPool } from '../../src/store/server/connection.ts'
import { makeDatabase } from '../support/test-store.ts'

test('openPool() asks for no just-in-time compilation, however costly a statement looks', async () => {
  const database = await makeDatabase({ empty: true })
  const sql = openPool({ url: database.url, applicationName: 'test' }, { max: 1, statementMs: 0 })
  try {
    const plan = async () =>
      JSON.stringify(
        await sql`explain (analyze, format json) select sum(a * b) from generate_series(1, 100) a, generate_series(1, 10) b`,
      )
    // Anything would be compiled now.
    await sql`select set_config('jit_above_cost', '0', false)`
    expect(await plan()).not.toContain('JIT')
    await sql`select set_config('jit', 'on', false)`
    const [row] = await sql<{ available: boolean }[]>`select pg_jit_available() as available`
    expect((await plan()).includes('JIT')).toBe(row?.available)
  } finally {
    await sql.end({ timeout: 1 })
    await database.drop()
  }
})
