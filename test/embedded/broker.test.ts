import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import { eq } from 'drizzle-orm'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { connectionOptionsOf } from '../../src/store/embedded/connection-options.ts'
import { socketPathOf } from '../../src/store/embedded/home.ts'
import { StoreFixture } from './store-fixture.ts'

const idleInTransactionMs = 600
const store = new StoreFixture()
const { sql } = store.connect({ max: 4, daemonArguments: ['--idle-in-transaction-ms', String(idleInTransactionMs)] })
const notes = pgTable('notes', { id: integer().primaryKey(), body: text().notNull() })

function rawClient(options: postgres.Options<Record<string, never>> = {}): postgres.Sql {
  return postgres({
    ...connectionOptionsOf(socketPathOf(store.home), 'test'),
    max: 1,
    fetch_types: false,
    onnotice: () => undefined,
    ...options,
  })
}

beforeAll(async () => {
  await sql`create table notes (id integer primary key, body text not null)`
}, 60_000)

afterAll(async () => {
  await store.dispose()
})

test('the broker gives each of 4 connections the answer to its own query, named and unnamed', async () => {
  const db = drizzle(sql)
  const questions = Array.from({ length: 600 }, async (_, n) => {
    switch (n % 4) {
      case 0: {
        const rows = await db.select({ value: notes.id }).from(notes).where(eq(notes.id, -n))
        return rows.length === 0
      }
      case 1: {
        const rows = await sql<{ value: number }[]>`select ${n}::int as value`
        return rows[0]?.value === n
      }
      case 2: {
        const rows = await sql.unsafe<{ body: string; value: number }[]>(`select $1::text as body, ${n} as value`, [
          `b${n}`,
        ])
        return rows[0]?.body === `b${n}` && rows[0].value === n
      }
      default: {
        await db.insert(notes).values({ id: n, body: `note ${n}` })
        const rows = await db.select().from(notes).where(eq(notes.id, n))
        return rows[0]?.body === `note ${n}`
      }
    }
  })
  const right = await Promise.all(questions)
  expect(right.filter(Boolean)).toHaveLength(600)
})

test('the broker keeps equal statement names of two clients apart and frees them', async () => {
  const frames = (name: string, query: string): Buffer => {
    const frame = (type: string, body: string): Buffer => {
      const bytes = Buffer.from(`${type}....${body}`, 'latin1')
      bytes.writeInt32BE(bytes.length - 1, 1)
      return bytes
    }
    const bind = frame('B', `\0${name}\0\0\0\0\0\0\0`)
    return Buffer.concat([frame('P', `${name}\0${query}\0\0\0`), bind, frame('E', '\0\0\0\0\0'), frame('S', '')])
  }
  const ask = async (value: string): Promise<{ readonly text: string; readonly close: () => void }> => {
    const socket = connect(socketPathOf(store.home))
    const startup = Buffer.from('\0\0\0\0\0\x03\0\0user\0postgres\0\0', 'latin1')
    startup.writeInt32BE(startup.length)
    socket.write(startup)
    await once(socket, 'data')
    socket.write(frames('same', `select '${value}'`))
    const [answer]: Buffer[] = await once(socket, 'data')
    return { text: answer?.toString('latin1') ?? '', close: () => socket.destroy() }
  }
  const clients = [await ask('first'), await ask('second')]
  expect(clients.map(({ text }) => /first|second/.exec(text)?.[0])).toEqual(['first', 'second'])
  const count = async (): Promise<number> => {
    const rows = await sql`select 1 from pg_prepared_statements where statement like 'select ''%'`
    return rows.length
  }
  expect(await count()).toBe(2)
  for (const client of clients) client.close()
  await expect.poll(count, { timeout: 20_000 }).toBe(0)
})

test('the broker keeps transactions apart and reports errors to whom they belong', async () => {
  const work = Array.from({ length: 40 }, async (_, n) =>
    sql.begin(async (transaction) => {
      await transaction`insert into notes values (${10_000 + n}, 'in a transaction')`
      if (n % 2 === 1) await transaction`insert into notes values (${10_000 + n}, 'twice')`
    }),
  )
  const results = await Promise.allSettled(work)
  const refused = results.filter((result) => result.status === 'rejected')
  expect(refused).toHaveLength(20)
  for (const { reason } of refused) expect(reason).toMatchObject({ code: '23505' })
  expect(await sql`select id from notes where id >= 10000`).toHaveLength(20)
})

test('the broker carries a parameter of 5 MB both ways', async () => {
  const big = randomUUID().repeat(150_000)
  await sql`insert into notes values (-1, ${big})`
  const rows = await sql<{ body: string }[]>`select body from notes where id = -1`
  expect(rows[0]?.body === big).toBe(true)
})

test('the broker rolls back when a client leaves inside its transaction', async () => {
  const client = rawClient()
  await client`begin`
  await client`insert into notes values (20000, 'never')`
  await client.end({ timeout: 0 })
  expect(await sql`select 1 from notes where id = 20000`).toHaveLength(0)
})

test('the broker goes on when a client leaves between the two halves of a query', async () => {
  const socket = connect(socketPathOf(store.home))
  const startup = Buffer.from('\0\0\0\0\0\x03\0\0user\0postgres\0\0', 'latin1')
  startup.writeInt32BE(startup.length)
  socket.write(startup)
  await once(socket, 'data')
  socket.write(Buffer.from('P\0\0\0\x10\0select 1\0\0\0H\0\0\0\x04', 'latin1'))
  await once(socket, 'data')
  socket.destroy()
  expect(await sql`select 2 as two`).toEqual([{ two: 2 }])
})

test('the broker ends a transaction that is idle too long, and serves the others', async () => {
  let closed = false
  const client = rawClient({
    onclose() {
      closed = true
    },
  })
  await client`begin`
  await client`insert into notes values (20001, 'never')`
  const startedAt = performance.now()
  expect(await sql`select 1 from notes where id = 20001`).toHaveLength(0)
  expect(performance.now() - startedAt).toBeLessThan(idleInTransactionMs + 2_000)
  await expect.poll(() => closed, { timeout: 20_000 }).toBe(true)
  await client`commit`
  expect(await sql`select 1 from notes where id = 20001`).toHaveLength(0)
  await client.end({ timeout: 0 })
})

test('the broker answers the request for encryption with no, and copies out', async () => {
  const socket = connect(socketPathOf(store.home))
  socket.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]))
  const [answer]: Buffer[] = await once(socket, 'data')
  socket.destroy()
  expect(answer?.toString()).toBe('N')
  let copied = ''
  for await (const chunk of await sql`copy (select 42) to stdout`.readable()) copied += String(chunk)
  expect(copied).toBe('42\n')
})

test('the broker refuses what is not the protocol and keeps serving', async () => {
  const socket = connect(socketPathOf(store.home))
  socket.resume()
  socket.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'))
  await once(socket, 'close')
  await sleep(10)
  expect(await sql`select 3 as three`).toEqual([{ three: 3 }])
})
