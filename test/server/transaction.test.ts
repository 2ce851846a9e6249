import { setTimeout as sleep } from 'node:timers/promises'

import postgres from 'postgres'
import { expect, test } from 'vitest'

import { openPool } from '../../src/store/server/connection.ts'
import { inTransaction } from '../../src/store/transaction.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { makeDatabase } from '../support/test-store.ts'

// An error outside of any promise, which this would be, fails the run.
test('inTransaction() fails where the connection was lost while its work needed it no more', async () => {
  const database = await makeDatabase({ empty: true })
  const sql = openPool({ url: database.url, applicationName: 'test' }, { max: 1, statementMs: 0 })
  const admin = postgres(database.url, { max: 1, onnotice: () => undefined })
  try {
    const lost = inTransaction(sql, async (transaction) => {
      const [own] = await transaction<{ pid: number }[]>`select pg_backend_pid() as pid`
      await admin`select pg_terminate_backend(${own?.pid ?? 0})`
      // Something else that takes its time, like the call of a provider.
      await sleep(200)
      return 'done'
    })
    await expect(lost).rejects.toMatchObject({ code: expect.stringMatching(/CONNECTION|57P01/) })
    await sleep(50)
    expect([...(await sql`select 1 as one`)]).toEqual([{ one: 1 }])
  } finally {
    await admin.end()
    await sql.end({ timeout: 1 })
    await database.drop()
  }
})

test('inTransaction() fails where its work goes on after the loss of the connection', async () => {
  const database = await makeDatabase({ empty: true })
  const proxy = await FaultProxy.start(database.url.replace(/^postgres/, 'http'))
  const { port } = new URL(proxy.url)
  const url = new URL(database.url)
  url.port = port
  const sql = openPool({ url: url.href, applicationName: 'test' }, { max: 1, statementMs: 0 })
  try {
    const lost = inTransaction(sql, async (transaction) => {
      setTimeout(() => proxy.next(), 50)
      // At once, as who writes down that something failed.
      await transaction`select pg_sleep(10)`.catch(async () => await transaction`select 1`)
    })
    await expect(lost).rejects.toMatchObject({ code: expect.stringMatching(/CONNECTION|ECONN/) })
    await sleep(50)
    expect([...(await sql`select 1 as one`)]).toEqual([{ one: 1 }])
  } finally {
    await sql.end({ timeout: 1 })
    await proxy.stop()
    await database.drop()
  }
})
