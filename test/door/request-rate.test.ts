import { setTimeout as sleep } from 'node:timers/promises'

import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { Scrape } from '../support/prometheus.ts'
import { useHome } from './support/home.ts'
import { HttpHome } from './support/http-home.ts'

const home = useHome()

/** A request that is let through every twenty seconds: no test takes so long between two of its requests. */
const slowly = { VERBATIM_TENANT_RATE: '0.05' }

interface Refused {
  readonly status: number
  readonly retryAfter: number
  readonly message: string
}

async function refusalOf(response: Response): Promise<Refused> {
  const { error } = z
    .object({ jsonrpc: z.literal('2.0'), id: z.null(), error: z.object({ code: z.number(), message: z.string() }) })
    .parse(await response.json())
  return { status: response.status, retryAfter: Number(response.headers.get('retry-after')), message: error.message }
}

function save(id: number, sessionId: string) {
  const args = { content: `message ${id}`, sender: 'Ada', session_id: sessionId }
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'save_message', arguments: args } }
}

/** How many messages of a session there are, by the command line, which has no rate. */
async function savedIn(sessionId: string): Promise<number> {
  const { stdout } = await home.cli(['show', sessionId, '--json'])
  return stdout === '' ? 0 : z.object({ message_count: z.number() }).parse(JSON.parse(stdout)).message_count
}

describe('a tenant that is over its rate', () => {
  // A new store is made before anything is counted.
  beforeAll(async () => void (await home.cli(['status'])))

  test('is answered with 429, what was exceeded and when to come again, and nothing of it is done', async () => {
    const server = await HttpHome.start(home, { env: { ...slowly, VERBATIM_TENANT_BURST: '5' } })
    const answers: Response[] = []
    for (let id = 1; id <= 12; id++) answers.push(await server.post({ body: JSON.stringify(save(id, 'flood')) }))
    expect(answers.map(({ status }) => status)).toEqual([...Array(5).fill(200), ...Array(7).fill(429)])
    for (const answer of answers.slice(5)) {
      const { retryAfter, message } = await refusalOf(answer)
      expect(message).toMatch(/0\.05 a second and 5 at once \(VERBATIM_TENANT_RATE, VERBATIM_TENANT_BURST\)/)
      expect(message).toContain(`Nothing was done: send it again in ${retryAfter} s`)
      expect(retryAfter).toBeGreaterThan(0)
      expect(retryAfter).toBeLessThanOrEqual(20)
    }
    expect(await savedIn('flood')).toBe(5)
    const admin = await server.newToken('--name', 'watches', '--scopes', 'admin')
    const metrics = await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${admin}` } })
    const read = new Scrape(await metrics.text())
    expect(read.value('verbatim_http_turned_away_total', { reason: 'rate' })).toBe(7)
    expect(read.value('verbatim_http_requests_total', { route: '/mcp', status: '429' })).toBe(7)
  })

  test('is let through again after what it was told', async () => {
    const server = await HttpHome.start(home, { env: { VERBATIM_TENANT_RATE: '0.2', VERBATIM_TENANT_BURST: '1' } })
    expect((await server.post()).status).toBe(200)
    const { status, retryAfter } = await refusalOf(await server.post())
    expect(status).toBe(429)
    await sleep(retryAfter * 1_000)
    expect((await server.post()).status).toBe(200)
  })

  test('cannot pass it by batches: each of their entries counts, and a batch is done whole or not at all', async () => {
    const server = await HttpHome.start(home, { env: { ...slowly, VERBATIM_TENANT_BURST: '10' } })
    const batch = (session: string, size: number) =>
      server.post({ body: JSON.stringify(Array.from({ length: size }, (_, id) => save(id, session))) })
    const first = await batch('whole', 8)
    expect(z.array(z.object({ id: z.number(), result: z.looseObject({}) })).parse(await first.json())).toHaveLength(8)
    expect(await refusalOf(await batch('not at all', 3))).toMatchObject({ status: 429 })
    expect(await savedIn('whole')).toBe(8)
    expect(await savedIn('not at all')).toBe(0)
  })

  test('may send a batch that is larger than its burst when it has waited, and waits the longer after it', async () => {
    const server = await HttpHome.start(home, { env: { ...slowly, VERBATIM_TENANT_BURST: '3' } })
    const body = JSON.stringify(Array.from({ length: 8 }, (_, id) => save(id, 'larger')))
    expect((await server.post({ body })).status).toBe(200)
    const { status, retryAfter } = await refusalOf(await server.post())
    expect(status).toBe(429)
    // Five more than it had, and the one that it asks for.
    expect(retryAfter).toBeGreaterThan(100)
    expect(retryAfter).toBeLessThanOrEqual(120)
    expect(await savedIn('larger')).toBe(8)
  })

  test('shows to clients of both generations of the protocol', async () => {
    const server = await HttpHome.start(home, { env: { ...slowly, VERBATIM_TENANT_BURST: '12' } })
    const modern = await server.modern()
    const { client } = await server.tools()
    await expect(
      (async () => {
        for (let count = 0; count < 12; count++) await modern.listTools({}, { cacheMode: 'bypass' })
      })(),
    ).rejects.toThrow(/Too many requests/)
    await expect(client.listTools()).rejects.toThrow(/Too many requests/)
  })

  test('is answered late when it goes on and on, which the log says once', async () => {
    const server = await HttpHome.start(home, { env: { ...slowly, VERBATIM_TENANT_BURST: '5' } })
    const statuses: number[] = []
    const answer = async () => {
      const startedAt = performance.now()
      statuses.push((await server.post({ body: JSON.stringify(save(1, 'endless')) })).status)
      return performance.now() - startedAt
    }
    const times = await Promise.all(Array.from({ length: 65 }, answer))
    expect(statuses.filter((status) => status === 429)).toHaveLength(60)
    // The first twenty are refused at once; on a slow machine a second passes, and some more are.
    const late = times.filter((ms) => ms >= 2_000).length
    expect(late).toBeGreaterThan(0)
    expect(late).toBeLessThanOrEqual(40)
    expect(server.said.split('its refusals are answered late')).toHaveLength(2)
    // The longer it goes on, the later.
    await Promise.all(Array.from({ length: 60 }, answer))
    const later = await Promise.all(Array.from({ length: 60 }, answer))
    expect(Math.max(...later)).toBeGreaterThan(3_900)
    // Who leaves while they wait is not kept.
    const waiting = Array.from({ length: 40 }, () => answer().catch(() => 0))
    const startedAt = performance.now()
    await server.stop()
    await Promise.all(waiting)
    expect(performance.now() - startedAt).toBeLessThan(Math.max(...later))
  })

  test('has no rate where none is set', async () => {
    const server = await HttpHome.start(home)
    const answers = await Promise.all(Array.from({ length: 150 }, async () => (await server.post()).status))
    expect(answers).toEqual(answers.map(() => 200))
  })
})

describe('requests that are worked on at once', () => {
  test('do not count streams that are open', async () => {
    const server = await HttpHome.start(home, { env: { VERBATIM_HTTP_CONCURRENCY: '1' } })
    const tools = await server.tools()
    const { session_id: id } = await tools.save({ content: 'a', sender: 'Ada', session_id: 'watched' })
    const heard: string[] = []
    for (const listener of [0, 1, 2]) {
      const modern = await server.modern()
      modern.setNotificationHandler('notifications/resources/updated', () => void heard.push(`listener ${listener}`))
      await modern.listen({ resourceSubscriptions: [`session://${id}`] })
    }
    await tools.save({ content: 'b', sender: 'Ada', session_id: 'watched' })
    await expect.poll(() => heard.toSorted(), { timeout: 10_000 }).toEqual(['listener 0', 'listener 1', 'listener 2'])
    expect((await tools.session(id)).messages).toHaveLength(2)
  })

  test('are few, and a batch larger than that is answered whole', async () => {
    const server = await HttpHome.start(home, { env: { VERBATIM_HTTP_CONCURRENCY: '1' } })
    const body = JSON.stringify(Array.from({ length: 40 }, (_, id) => save(id, 'in one place')))
    const answers = z
      .array(z.object({ id: z.number(), result: z.looseObject({ isError: z.literal(true).optional() }) }))
      .parse(await (await server.post({ body })).json())
    expect(answers.map(({ id }) => id)).toEqual(Array.from({ length: 40 }, (_, id) => id))
    expect(answers.filter(({ result }) => result.isError === true)).toEqual([])
    expect(await savedIn('in one place')).toBe(40)
  })
})

test.each([
  [{ VERBATIM_TENANT_RATE: '-1' }, 'VERBATIM_TENANT_RATE'],
  [{ VERBATIM_TENANT_RATE: 'many' }, 'VERBATIM_TENANT_RATE'],
  [{ VERBATIM_TENANT_RATE: '5', VERBATIM_TENANT_BURST: '0' }, 'VERBATIM_TENANT_BURST'],
  [{ VERBATIM_TENANT_RATE: '5', VERBATIM_TENANT_BURST: '1.5' }, 'VERBATIM_TENANT_BURST'],
  [{ VERBATIM_TENANT_BURST: '5' }, 'Set VERBATIM_TENANT_RATE too'],
  [{ VERBATIM_HTTP_CONCURRENCY: '0' }, 'VERBATIM_HTTP_CONCURRENCY'],
  [{ VERBATIM_HTTP_CONCURRENCY: 'all' }, 'VERBATIM_HTTP_CONCURRENCY'],
])('serve does not start with %o', async (env, message) => {
  const { code, stderr } = await home.cli(['serve', '--port', '0'], { env })
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) })
})

describe('a tenant that has as many streams of notices open as it may', () => {
  test('gets no further one until one is over', async () => {
    const server = await HttpHome.start(home, { env: { VERBATIM_HTTP_STREAMS: '4' } })
    const modern = await server.modern()
    const listen = async () => await modern.listen({ resourceSubscriptions: ['memory://status'] })
    const open = [await listen(), await listen(), await listen()]
    await expect(listen()).rejects.toThrow(/Too many streams of notices of this tenant are open/)
    // Other requests are answered.
    expect((await modern.listTools()).tools.length).toBeGreaterThan(3)
    await open[0]?.close()
    // The server hears of it a moment later.
    await expect.poll(() => listen().then(() => 'open', String), { timeout: 10_000 }).toBe('open')
  })
})
