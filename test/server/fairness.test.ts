import { once } from 'node:events'

import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'

import { useHome } from '../door/support/home.ts'
import { HttpHome } from '../door/support/http-home.ts'
import { Scrape } from '../support/prometheus.ts'

const home = useHome()
const names = ['noisy', 'quiet', 'other'] as const
const tokens = new Map<string, string>()

beforeAll(async () => {
  const server = await HttpHome.start(home, { keep: true })
  for (const name of names) {
    const made = await home.cli(['tenant', 'create', name])
    if (made.code !== 0) throw new Error(made.stderr)
    const { stdout } = await home.cli(['token', 'create', '--name', 'tests', '--scopes', 'read,write'], {
      env: { VERBATIM_TENANT: name },
    })
    tokens.set(name, stdout.trim())
    const saved = await save(server, name, 'stuck')
    if (!saved.includes('seq')) throw new Error(saved)
  }
  await server.stop()
})

/** Sends a save. */
function post(
  tenant: string,
  to: { readonly server: HttpHome; readonly session: string; readonly signal?: AbortSignal },
): Promise<Response> {
  const args = { content: 'The pilot comes on board at six.', sender: 'Ada', session_id: to.session }
  return fetch(`${to.server.url}/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${tokens.get(tenant)}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'save_message', arguments: args },
    }),
    ...(to.signal === undefined ? {} : { signal: to.signal }),
  })
}

async function save(server: HttpHome, tenant: string, session: string): Promise<string> {
  return await (await post(tenant, { server, session })).text()
}

/** Makes saves to the sessions `stuck` of all tenants wait until the function that it returns is called. */
async function holdSessions(): Promise<() => Promise<void>> {
  const store = home.database()
  let release = () => {}
  const released = new Promise<void>((resolve) => (release = resolve))
  let done: Promise<unknown> = Promise.resolve()
  await new Promise<void>((resolve) => {
    done = store.sql.begin(async (sql) => {
      await sql`select 1 from sessions where external_id = 'stuck' for update`
      resolve()
      await released
    })
  })
  return async () => {
    release()
    await done
    await store.close()
  }
}

async function metricsOf(of: HttpHome): Promise<Scrape> {
  const response = await fetch(`${of.url}/metrics`, { headers: { authorization: `Bearer ${of.token}` } })
  return new Scrape(await response.text())
}

async function untilWaiting(of: HttpHome, waiting: number): Promise<void> {
  await expect
    .poll(async () => (await metricsOf(of)).value('verbatim_http_waiting'), { timeout: 20_000, interval: 50 })
    .toBe(waiting)
}

describe('tenants that send at the same time', () => {
  test('one with a flood is answered with 429, and the calls of another all succeed', async () => {
    const limited = await HttpHome.start(home, {
      env: { VERBATIM_TENANT_RATE: '0.05', VERBATIM_TENANT_BURST: '40' },
    })
    const flood = Promise.all(
      Array.from({ length: 400 }, async () => {
        const response = await post('noisy', { server: limited, session: 'flood' })
        return { status: response.status, retryAfter: Number(response.headers.get('retry-after')) }
      }),
    )
    const answers: string[] = []
    for (let count = 0; count < 40; count++) answers.push(await save(limited, 'quiet', 'calm'))
    expect(answers.filter((answer) => !answer.includes('"isError":true') && answer.includes('seq'))).toHaveLength(40)
    const flooded = await flood
    expect(flooded.filter(({ status }) => status === 200)).toHaveLength(40)
    const refused = flooded.filter(({ status }) => status === 429)
    expect(refused).toHaveLength(360)
    expect(refused.every(({ retryAfter }) => retryAfter >= 1 && retryAfter <= 20)).toBe(true)
  })

  test('another is answered at once while 200 slow requests of one are worked on or wait', async () => {
    const shared = await HttpHome.start(home, { env: { VERBATIM_HTTP_CONCURRENCY: '20' } })
    const release = await holdSessions()
    let answered = 0
    const slow = Array.from({ length: 200 }, async () => {
      const answer = await save(shared, 'noisy', 'stuck')
      answered++
      return answer
    })
    // A quarter of the places stays free for others.
    await untilWaiting(shared, 185)
    expect((await metricsOf(shared)).value('verbatim_http_working')).toBe(15)
    for (let count = 0; count < 10; count++) expect(await save(shared, 'quiet', 'calm')).toContain('seq')
    expect(answered).toBe(0)
    await release()
    for (const answer of await Promise.all(slow)) expect(answer).toContain('seq')
    await untilWaiting(shared, 0)
    await expect.poll(async () => (await metricsOf(shared)).value('verbatim_http_working')).toBe(0)
  })

  test('another is answered after a few where no place is free: tenants take turns', async () => {
    const shared = await HttpHome.start(home, { env: { VERBATIM_HTTP_CONCURRENCY: '1' } })
    const release = await holdSessions()
    const order: string[] = []
    const send = async (tenant: string, session: string) => {
      expect(await save(shared, tenant, session)).toContain('seq')
      order.push(tenant)
    }
    const noisy = Array.from({ length: 12 }, () => send('noisy', 'stuck'))
    await untilWaiting(shared, 11)
    const other = send('other', 'stuck')
    await untilWaiting(shared, 12)
    const quiet = send('quiet', 'calm')
    await untilWaiting(shared, 13)
    expect(order).toEqual([])
    await release()
    await Promise.all([...noisy, other, quiet])
    expect(order).toHaveLength(14)
    expect(order.slice(0, order.indexOf('quiet')).filter((tenant) => tenant === 'noisy').length).toBeLessThanOrEqual(4)
  })

  test('one that fills its part of the list is refused with 503, and another still finds room', async () => {
    const shared = await HttpHome.start(home, { env: { VERBATIM_HTTP_CONCURRENCY: '1' } })
    const release = await holdSessions()
    // One is worked on; of the room for 16 that wait one tenant has twelve.
    const statuses: number[] = []
    const noisy = Array.from({ length: 30 }, async () => {
      const response = await post('noisy', { server: shared, session: 'stuck' })
      statuses.push(response.status)
      if (response.status !== 503) return
      expect(response.headers.get('retry-after')).toBe('2')
      expect(await response.text()).toContain('Too many requests of this tenant wait')
    })
    await expect.poll(() => statuses.length, { timeout: 20_000 }).toBe(17)
    expect(new Set(statuses)).toEqual(new Set([503]))
    const quiet = save(shared, 'quiet', 'calm')
    await untilWaiting(shared, 13)
    await release()
    expect(await quiet).toContain('seq')
    await Promise.all(noisy)
    expect(statuses.filter((status) => status === 200)).toHaveLength(13)
    expect((await metricsOf(shared)).value('verbatim_http_turned_away_total', { reason: 'full' })).toBe(17)
  })

  test('what a client no longer waits for leaves the list, and keeps its place while it is worked on', async () => {
    const shared = await HttpHome.start(home, { env: { VERBATIM_HTTP_CONCURRENCY: '1' } })
    const release = await holdSessions()
    const gone = new AbortController()
    const sent = Array.from({ length: 5 }, () =>
      post('noisy', { server: shared, session: 'stuck', signal: gone.signal }).catch(() => undefined),
    )
    await untilWaiting(shared, 4)
    gone.abort()
    await Promise.all(sent)
    await untilWaiting(shared, 0)
    // The save that was begun still waits for the session.
    expect((await metricsOf(shared)).value('verbatim_http_working')).toBe(1)
    const quiet = save(shared, 'quiet', 'calm')
    await untilWaiting(shared, 1)
    await release()
    expect(await quiet).toContain('seq')
    await expect.poll(async () => (await metricsOf(shared)).value('verbatim_http_working')).toBe(0)
  })

  test('who waits is told to come again when the process leaves, and what was begun is finished', async () => {
    const leaving = await HttpHome.start(home, { env: { VERBATIM_HTTP_CONCURRENCY: '1' } })
    const release = await holdSessions()
    onTestFinished(release)
    const begun = save(leaving, 'noisy', 'stuck')
    await expect.poll(async () => (await metricsOf(leaving)).value('verbatim_http_working')).toBe(1)
    const waiting = post('quiet', { server: leaving, session: 'calm' })
    await untilWaiting(leaving, 1)
    const ended = once(leaving.child, 'exit')
    leaving.child.kill('SIGTERM')
    const refused = await waiting
    expect({ status: refused.status, retryAfter: refused.headers.get('retry-after') }).toEqual({
      status: 503,
      retryAfter: '1',
    })
    await release()
    expect(await begun).toContain('seq')
    expect((await ended)[0]).toBe(0)
  })
})
