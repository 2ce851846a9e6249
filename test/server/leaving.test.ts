import { once } from 'node:events'

import { describe, expect, test } from 'vitest'

import { useHome } from '../door/support/home.ts'
import { HttpHome } from '../door/support/http-home.ts'
import { OpenAiStandIn } from '../support/stand-ins/openai.ts'
import { lacksVectors } from '../support/test-store.ts'

const home = useHome()
// What is stored is compared by the rows themselves.
home.settings = { ...home.settings, VERBATIM_ENCRYPTION: 'off' }

async function waiting(topic = 'index'): Promise<number> {
  const { sql, close } = sqlOf()
  const [row] = await sql<{ messages: string | null }[]>`
    select sum(last_seq - first_seq + 1) as messages from outbox where topic = ${topic} and dead_at is null`
  await close()
  return Number(row?.messages ?? 0)
}

function sqlOf() {
  const database = home.database()
  return { sql: database.sql, close: async () => database.close() }
}

describe('a server that is told to leave', () => {
  test('in the middle of saves, searches and indexing loses nothing, and another does the rest', async () => {
    const leaving = await HttpHome.start(home)
    const clients = await Promise.all(Array.from({ length: 6 }, () => leaving.tools()))
    const acknowledged: string[] = []
    let isLeaving = false
    const working = clients.map(async (tools, client) => {
      for (let batch = 0; ; batch++) {
        const texts = Array.from({ length: 100 }, (_, at) => `gull c${client}b${batch}m${at} over the harbour`)
        try {
          await tools.saveAll({
            session_id: `s${client}`,
            messages: texts.map((content) => ({ content, sender: 'Ada' })),
          })
          acknowledged.push(...texts)
          if (client === 0) await tools.search({ query: 'harbour' })
        } catch (error) {
          // Only a process that leaves may refuse.
          if (!isLeaving) throw error
          return
        }
      }
    })
    // Told to leave while there is work.
    await expect
      .poll(async () => (acknowledged.length > 1_000 ? await waiting() : 0), { timeout: 60_000, interval: 10 })
      .toBeGreaterThan(0)
    isLeaving = true
    const startedAt = performance.now()
    expect(await leaving.stop()).toBe(0)
    expect(performance.now() - startedAt).toBeLessThan(25_000)
    await Promise.all(working)
    const next = await HttpHome.start(home)
    await expect.poll(() => waiting(), { timeout: 60_000 }).toBe(0)
    const { sql, close } = sqlOf()
    const stored = await sql<{ text: string }[]>`select convert_from(payload, 'UTF8') as text from messages`
    const units = await sql<{ count: string }[]>`select count(*) as count from search_units where level = 0`
    await close()
    const texts = new Set(stored.map(({ text }) => JSON.parse(text)))
    expect(acknowledged.filter((text) => !texts.has(text))).toEqual([])
    expect(Number(units[0]?.count)).toBe(stored.length)
    expect(await (await next.tools()).hits({ query: `"${acknowledged.at(-1)}"` })).toEqual([acknowledged.at(-1)])
  })

  test('while its background work waits for a lock of the database leaves all the same', async () => {
    const server = await HttpHome.start(home)
    const { sql, close } = sqlOf()
    await sql`begin`
    await sql`lock table term_stats in access exclusive mode`
    await (await server.tools()).save({ content: 'a tern', sender: 'Ada', session_id: 'locked' })
    const ended = once(server.child, 'exit')
    const startedAt = performance.now()
    expect(await server.stop()).toBe(0)
    await ended
    expect(performance.now() - startedAt).toBeLessThan(25_000)
    await sql`commit`
    await close()
    await HttpHome.start(home)
    await expect.poll(() => waiting(), { timeout: 30_000 }).toBe(0)
  })

  test.skipIf(lacksVectors)('while a provider lets it wait leaves at once, and the work is still there', async () => {
    const standIn = await OpenAiStandIn.start()
    const settings = {
      VERBATIM_EMBEDDER: 'openai-compatible',
      VERBATIM_EMBEDDER_URL: `${standIn.url}/v1`,
      VERBATIM_EMBEDDING_MODEL: standIn.model,
      VERBATIM_EMBEDDING_DIMENSIONS: String(standIn.dimensions),
    }
    const server = await HttpHome.start(home, { env: settings })
    standIn.plan(...Array.from({ length: 20 }, () => ({ kind: 'slow', ms: 50_000 }) as const))
    await (await server.tools()).save({ content: 'a skua', sender: 'Ada', session_id: 'slow' })
    await expect.poll(() => standIn.requests.length, { timeout: 30_000 }).toBeGreaterThan(0)
    const startedAt = performance.now()
    expect(await server.stop()).toBe(0)
    expect(performance.now() - startedAt).toBeLessThan(12_000)
    expect(await waiting('embed')).toBeGreaterThan(0)
    await standIn.stop()
  })
})
