import { expect, test } from 'vitest'

import { reserveConnection } from '../../src/store/reserve.ts'
import { openPool } from '../../src/store/server/connection.ts'
import { makeDatabase } from '../support/test-store.ts'

test('reserveConnection() gives connections of a pool that has to open them first, one beside the other', async () => {
  const database = await makeDatabase({ empty: true })
  const sql = openPool({ url: database.url, applicationName: 'test' }, { max: 3, statementMs: 0 })
  try {
    const first = await reserveConnection(sql)
    const second = await reserveConnection(sql)
    const pids = await Promise.all([first, second].map((one) => one`select pg_backend_pid() as pid`))
    expect(new Set(pids.map(([row]) => row?.['pid'])).size).toBe(2)
    first.release()
    second.release()
  } finally {
    await sql.end({ timeout: 1 })
    await database.drop()
  }
})
