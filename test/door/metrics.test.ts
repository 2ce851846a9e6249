import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'

import { Scrape } from '../support/prometheus.ts'
import { OpenAiStandIn } from '../support/stand-ins/openai.ts'
import { ChatStandIn } from '../support/stand-ins/writers.ts'
import { isOnServer, lacksVectors } from '../support/test-store.ts'
import { useHome } from './support/home.ts'
import { HttpHome } from './support/http-home.ts'

const home = useHome()

/** Reads the metrics with the owner's token. */
async function scrape(server: HttpHome, token = server.token): Promise<Scrape> {
  const response = await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${token}` } })
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  return new Scrape(await response.text())
}

const secret = 'Zwetschgenknödel'
const sessionName = 'a-session-name-of-a-client'

describe('/metrics', () => {
  let server: HttpHome
  beforeAll(async () => {
    server = await HttpHome.start(home, { keep: true })
  })
  afterAll(async () => void (await server.stop()))

  test('counts what was saved, searched and answered, and how long it took', async () => {
    const tools = await server.tools()
    const before = await scrape(server)
    const change = (after: Scrape, ...of: Parameters<Scrape['value']>) =>
      (after.value(...of) ?? 0) - (before.value(...of) ?? 0)
    await tools.save({ content: `The ${secret} was good.`, sender: 'Ada', session_id: sessionName, message_id: 'm1' })
    await tools.save({ content: `The ${secret} was good.`, sender: 'Ada', session_id: sessionName, message_id: 'm1' })
    await tools.saveAll({
      session_id: sessionName,
      messages: ['one', 'two', 'three'].map((content) => ({ content, sender: 'Ada' })),
    })
    await tools.search({ query: secret })
    await tools.search({ query: 'three', mode: 'full_text' })
    await tools.refusal('get_session', { session_id: 'nowhere' })
    expect((await server.post({ body: '{nope' })).status).toBe(400)
    expect((await server.post({ headers: { authorization: '' } })).status).toBe(401)
    expect((await fetch(`${server.url}/${secret}`)).status).toBe(404)
    const after = await scrape(server)

    expect(change(after, 'verbatim_messages_saved_total')).toBe(4)
    expect(change(after, 'verbatim_messages_duplicate_total')).toBe(1)
    expect(change(after, 'verbatim_tool_calls_total', { tool: 'save_message', outcome: 'ok' })).toBe(2)
    expect(change(after, 'verbatim_tool_calls_total', { tool: 'save_messages', outcome: 'ok' })).toBe(1)
    expect(change(after, 'verbatim_tool_calls_total', { tool: 'get_session', outcome: 'not_found' })).toBe(1)
    expect(change(after, 'verbatim_searches_total', { mode: 'hybrid', semantic: 'off' })).toBe(1)
    expect(change(after, 'verbatim_searches_total', { mode: 'full_text' })).toBe(1)
    expect(change(after, 'verbatim_tool_call_duration_seconds_count', { tool: 'search_memory' })).toBe(2)
    expect(change(after, 'verbatim_tool_call_duration_seconds_sum', { tool: 'search_memory' })).toBeGreaterThan(0.001)
    expect(change(after, 'verbatim_http_requests_total', { route: '/mcp', method: 'POST', status: '400' })).toBe(1)
    expect(change(after, 'verbatim_http_requests_total', { route: '/mcp', status: '401' })).toBe(1)
    expect(change(after, 'verbatim_http_requests_total', { route: 'other', status: '404' })).toBe(1)
    expect(change(after, 'verbatim_http_requests_total', { route: '/mcp', status: '200' })).toBeGreaterThanOrEqual(6)
    expect(change(after, 'verbatim_database_call_duration_seconds_count')).toBeGreaterThan(10)
    expect(after.checkHistograms()).toBeGreaterThanOrEqual(5)
  })

  test('says what waits, what the process takes and whether the store answers', async () => {
    await (await server.tools()).hits({ query: secret })
    await expect
      .poll(async () => (await scrape(server)).value('verbatim_outbox_messages', { topic: 'index' }), {
        timeout: 10_000,
      })
      .toBe(0)
    const read = await scrape(server)
    expect(read.value('verbatim_outbox_oldest_seconds', { topic: 'index' })).toBe(0)
    expect(read.value('verbatim_outbox_dead', { topic: 'index' })).toBe(0)
    expect(read.value('verbatim_outbox_messages', { topic: 'embed' })).toBe(0)
    expect(read.value('verbatim_store_available')).toBe(1)
    expect(read.value('process_resident_memory_bytes')).toBeGreaterThan(10_000_000)
    expect(read.value('verbatim_build_info')).toBe(1)
  })

  test.skipIf(!isOnServer)('says how many connections there are, and what the threads of the process did', async () => {
    const read = await scrape(server)
    expect(read.value('verbatim_database_connections')).toBeGreaterThanOrEqual(1)
    expect(read.value('verbatim_database_connections_max')).toBe(10)
    expect(read.value('verbatim_outbox_worked_off_total', { topic: 'index' })).toBeGreaterThanOrEqual(4)
  })

  test('names nothing that was stored, and nobody who stored it', async () => {
    const { samples } = await scrape(server)
    const words = JSON.stringify(samples)
    for (const word of [secret, sessionName, 'Ada', 'door', home.path, server.token]) expect(words).not.toContain(word)
    expect(samples.length).toBeLessThan(1_500)
  })

  test('is for tokens with the scope memory:admin', async () => {
    expect((await fetch(`${server.url}/metrics`)).status).toBe(401)
    const reader = await server.newToken('--name', 'reads', '--scopes', 'read,write')
    const refused = await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${reader}` } })
    expect(refused.status).toBe(403)
    expect(await refused.text()).toContain('memory:admin')
    const admin = await server.newToken('--name', 'watches', '--scopes', 'admin')
    expect((await scrape(server, admin)).value('verbatim_store_available')).toBe(1)
  })

  test('is read without a token at an address of its own, where nothing else is', async () => {
    const other = await HttpHome.start(home, { env: { VERBATIM_METRICS_ADDRESS: '127.0.0.1:0' } })
    const [, address] = /Metrics without a token: (\S+)\/metrics/.exec(other.said) ?? []
    expect(new Scrape(await (await fetch(`${address}/metrics`)).text()).value('verbatim_build_info')).toBe(1)
    expect((await fetch(`${address}/mcp`, { method: 'POST', body: '{}' })).status).toBe(404)
    expect((await fetch(`${address}/metrics`, { method: 'POST', body: '{}' })).status).toBe(404)
  })

  test.each(['9464', 'localhost', '127.0.0.1:70000', 'http://127.0.0.1:9464'])(
    'does not start with %s as that address',
    async (address) => {
      const { code, stderr } = await home.cli(['serve'], { env: { VERBATIM_METRICS_ADDRESS: address } })
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('is not an address with a port') })
    },
  )
})

describe('a provider that fails', () => {
  test('shows in the metrics: its failures, its circuit, and no content', async () => {
    const standIn = await ChatStandIn.start()
    onTestFinished(() => standIn.stop())
    standIn.plan(...Array.from({ length: 3 }, () => ({ kind: 'status', status: 500 }) as const))
    const server = await HttpHome.start(home, {
      env: {
        VERBATIM_SUMMARIZER_URL: standIn.url,
        VERBATIM_SUMMARIZER_MODEL: standIn.model,
        VERBATIM_QUERY_EXPANSION: 'on',
      },
    })
    const provider = 'openai-compatible'
    expect((await scrape(server)).value('verbatim_provider_circuit', { provider, state: 'closed' })).toBe(1)
    const tools = await server.tools()
    for (const query of ['first question', 'second question', 'third question', 'fourth question'])
      await tools.search({ query })
    const read = await scrape(server)
    expect(read.value('verbatim_provider_calls_total', { provider, call: 'generate', outcome: 'unavailable' })).toBe(3)
    expect(read.value('verbatim_provider_tokens_total', { provider, call: 'generate' })).toBeGreaterThan(100)
    expect(read.value('verbatim_provider_circuit', { provider, state: 'open' })).toBe(1)
    expect(read.value('verbatim_provider_circuit', { provider, state: 'closed' })).toBe(0)
    expect(JSON.stringify(read.samples)).not.toContain('question')
  })

  test.skipIf(!isOnServer || lacksVectors)(
    'in a thread of the background work shows as well, and what waits for it',
    async () => {
      const standIn = await OpenAiStandIn.start()
      onTestFinished(() => standIn.stop())
      const server = await HttpHome.start(home, {
        env: {
          VERBATIM_EMBEDDER: 'openai-compatible',
          VERBATIM_EMBEDDER_URL: `${standIn.url}/v1`,
          VERBATIM_EMBEDDING_MODEL: standIn.model,
        },
      })
      const provider = 'openai-compatible'
      const tools = await server.tools()
      await tools.save({ content: 'a first message to embed', sender: 'Ada', session_id: 'embedded' })
      const calls = async (outcome: string) =>
        (await scrape(server)).value('verbatim_provider_calls_total', { provider, call: 'embed', outcome }) ?? 0
      await expect.poll(() => calls('ok'), { timeout: 30_000 }).toBeGreaterThanOrEqual(1)
      const workedOff = async () => (await scrape(server)).value('verbatim_outbox_worked_off_total', { topic: 'embed' })
      await expect.poll(workedOff, { timeout: 10_000 }).toBeGreaterThanOrEqual(1)
      standIn.plan(...Array.from({ length: 50 }, () => ({ kind: 'status', status: 401 }) as const))
      await tools.save({ content: 'a second message, that is refused', sender: 'Ada', session_id: 'embedded' })
      await expect.poll(() => calls('refused'), { timeout: 30_000 }).toBeGreaterThanOrEqual(1)
      const waiting = async () => (await scrape(server)).value('verbatim_outbox_messages', { topic: 'embed' })
      await expect.poll(waiting, { timeout: 10_000 }).toBeGreaterThanOrEqual(1)
      expect((await scrape(server)).value('verbatim_outbox_oldest_seconds', { topic: 'embed' })).toBeGreaterThan(0)
    },
  )
})
