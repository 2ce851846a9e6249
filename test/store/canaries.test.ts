import { randomBytes } from 'node:crypto'

import postgres from 'postgres'
import { describe, expect, inject, it } from 'vitest'

import { archiveAll } from '../../src/archive/archive-all.ts'
import { createLog } from '../../src/log.ts'
import { caller, useStore } from '../sessions/store.ts'
import { filesWith, formsOf } from '../support/files-with.ts'
import { directoriesOf } from '../support/server-files.ts'
import { isOnServer } from '../support/test-store.ts'

const store = useStore({ VERBATIM_ENCRYPTION: 'on' })
const plainStore = useStore({ VERBATIM_ENCRYPTION: 'off' })

/** All 10,000 messages on one store. */
const batches = isOnServer ? 4 : 20
const batchMessages = 500

/** Whoever runs the server of the tests: the process that runs them must be able to read its files. */
function administrator() {
  const sql = postgres(inject('testServer').adminUrl, { max: 1, onnotice: () => undefined })
  return {
    async directories(databaseUrl: string | undefined): Promise<string[]> {
      await sql`checkpoint`
      return await directoriesOf(sql, databaseUrl)
    },
    [Symbol.asyncDispose]: () => sql.end(),
  }
}

async function fill(filled: typeof store, word: string, batchCount: number): Promise<string[]> {
  const { stores } = filled.open
  for (let batch = 0; batch < batchCount; batch++) {
    const messages = Array.from({ length: batchMessages }, (_, n) => ({
      content: `${word} ${batch} ${n} ${'and some more '.repeat(n % 90)}`,
      sender: 'Ann',
      role: 'user' as const,
      metadata: { note: word },
    }))
    const { session_id: sessionId } = await filled.open.saveMessages(caller, { messages })
    await filled.open.updateSession(caller, { sessionId, title: `${word} title`, summary: `${word} summary` })
  }
  await filled.session([{ content: `${word} ${'z'.repeat(2 * 1024 * 1024)}` }])
  await expect
    .poll(async () => (await filled.open.status(caller)).index.messages_behind, { timeout: 60_000, interval: 500 })
    .toBe(0)
  expect((await archiveAll({ ...stores, log: createLog('silent') }, caller, () => undefined)).problems).toEqual([])
  const query = { query: word, limit: 3, maxTokens: 2_000, mode: 'full_text', context: 0, format: 'json' } as const
  expect((await filled.open.search(caller, query)).results.length).toBeGreaterThan(0)
  await using admin = isOnServer ? administrator() : undefined
  if (admin === undefined) await stores.database.run((sql) => sql`checkpoint`)
  return [filled.fixture.home, ...(admin === undefined ? [] : await admin.directories(filled.databaseUrl))]
}

describe('what is on the disk', () => {
  it(
    `of an encrypted store of ${batches * batchMessages} messages shows none of their words, written in any way`,
    { timeout: 200_000 },
    async () => {
      const word = `kanarie${randomBytes(9).toString('hex')}`
      const places = await fill(store, word, batches)
      const [counted] = await store.open.stores.database.run(
        (sql) => sql<{ count: number }[]>`select count(*)::int as count from messages`,
      )
      expect(counted?.count).toBe(batches * batchMessages + 1)
      expect(filesWith(places, word)).toEqual([])
    },
  )

  it(
    'of one that is not encrypted does: the words are looked for where they would be',
    { timeout: 200_000 },
    async () => {
      const word = `kanarie${randomBytes(9).toString('hex')}`
      const found = filesWith(await fill(plainStore, word, 1), word)
      expect(found.some((path) => path.includes('pg_wal'))).toBe(true)
      expect(found.some((path) => path.includes('payloads'))).toBe(true)
    },
  )

  it('is found in each of the ways in which it may be written', () => {
    const word = 'kanarie0123456789'
    const [before, after] = [Buffer.from('abc'), Buffer.from('xyz')]
    const within = [0, 1, 2].map((length) => Buffer.concat([before.subarray(0, length), Buffer.from(word), after]))
    const written = [
      ...within,
      ...within.map((bytes) => Buffer.from(bytes.toString('base64'))),
      Buffer.from(word, 'utf16le'),
    ]
    for (const bytes of written) expect(formsOf(word).some((form) => bytes.includes(form))).toBe(true)
  })
})
