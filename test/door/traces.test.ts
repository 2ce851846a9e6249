import { expect, onTestFinished, test } from 'vitest'

import { CollectorStandIn, valuesOf, type CollectedSpan } from '../support/stand-ins/collector.ts'
import { useHome } from './support/home.ts'
import { HttpHome } from './support/http-home.ts'

const home = useHome()
const secret = 'Zwetschgenknödel'
const traceId = '0af7651916cd43dd8448eb211c80319c'
const [server, client] = [2, 3]

async function startCollector(): Promise<CollectorStandIn> {
  const collector = await CollectorStandIn.start()
  onTestFinished(() => collector.stop())
  return collector
}

const save = (meta?: Readonly<Record<string, string>>) =>
  JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: {
      name: 'save_message',
      arguments: { content: `The ${secret} was good.`, sender: secret, session_id: 'a session of a client' },
      ...(meta === undefined ? {} : { _meta: meta }),
    },
  })

function only(spans: readonly CollectedSpan[], name: string): CollectedSpan {
  const found = spans.filter((span) => span.name === name)
  expect(found).toHaveLength(1)
  const [span] = found
  if (span === undefined) throw new Error(`There is no span "${name}"`)
  return span
}

test('a call is traced from the request to the database, as a part of its caller’s trace, without content', async () => {
  const collector = await startCollector()
  const serving = await HttpHome.start(home, {
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-scope=a%20team',
      OTEL_SERVICE_NAME: 'memory',
    },
  })
  const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01` }
  expect((await serving.post({ body: save(), headers })).status).toBe(200)
  expect((await serving.post({ body: '{nope' })).status).toBe(400)
  // What is left is sent when it leaves.
  expect(await serving.stop()).toBe(0)

  const own = collector.spans.filter((span) => span.traceId === traceId)
  const request = only(own, 'POST /mcp')
  const call = only(own, 'tools/call save_message')
  const stores = own.filter(({ name, parentSpanId }) => name === 'database' && parentSpanId === call.spanId)
  expect(request).toMatchObject({ kind: server, parentSpanId: 'b7ad6b7169203331' })
  expect(valuesOf(request.attributes)).toMatchObject({ 'http.route': '/mcp', 'http.response.status_code': 200 })
  expect(call.parentSpanId).toBe(request.spanId)
  expect(valuesOf(call.attributes)).toMatchObject({ 'gen_ai.tool.name': 'save_message', 'verbatim.outcome': 'ok' })
  expect(stores.length).toBeGreaterThan(0)
  expect(stores[0]).toMatchObject({ kind: client })
  const refused = collector.spans.filter((span) => span.name === 'POST /mcp' && span.traceId !== traceId)
  expect(refused.map(({ attributes }) => valuesOf(attributes)['http.response.status_code'])).toEqual([400])
  expect(collector.resources[0]).toMatchObject({ 'service.name': 'memory' })
  expect(collector.requests.every((sent) => sent.headers['x-scope'] === 'a team')).toBe(true)
  const everything = collector.requests.map(({ text }) => text).join('\n')
  for (const word of [secret, 'a session of a client', serving.token]) expect(everything).not.toContain(word)
})

test('a host’s trace in a request’s _meta goes on, and one that is not recorded stays so', async () => {
  const collector = await startCollector()
  const serving = await HttpHome.start(home, {
    env: { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/v1/traces` },
  })
  const unrecorded = '1af7651916cd43dd8448eb211c80319c'
  await serving.post({ body: save({ traceparent: `00-${traceId}-00f067aa0ba902b7-01` }) })
  await serving.post({ body: save(), headers: { traceparent: `00-${unrecorded}-b7ad6b7169203331-00` } })
  await serving.post({ body: save({ traceparent: 'no trace at all' }) })
  expect(await serving.stop()).toBe(0)

  const calls = collector.spans.filter(({ name }) => name === 'tools/call save_message')
  expect(calls).toHaveLength(2)
  expect(calls.filter((span) => span.traceId === traceId)).toMatchObject([{ parentSpanId: '00f067aa0ba902b7' }])
  expect(collector.spans.some((span) => span.traceId === unrecorded)).toBe(false)
})

test('a collector that is away costs no request and does not keep the server', async () => {
  const collector = await CollectorStandIn.start()
  await collector.stop()
  const serving = await HttpHome.start(home, { env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url } })
  expect((await serving.post({ body: save() })).status).toBe(200)
  const leaves = performance.now()
  expect(await serving.stop()).toBe(0)
  expect(performance.now() - leaves).toBeLessThan(15_000)
})

test.each([
  [
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4318' },
    /"localhost:4318" in OTEL_EXPORTER_OTLP_ENDPOINT is not an address/,
  ],
  [
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318', OTEL_EXPORTER_OTLP_HEADERS: `token ${secret}` },
    /a part of OTEL_EXPORTER_OTLP_HEADERS is not a header/,
  ],
])('what cannot be used is refused by its name: %o', async (env, message) => {
  const { code, stderr } = await home.cli(['serve', '--port', '0'], { env })
  expect(code).toBe(2)
  expect(stderr).toMatch(message)
  expect(stderr).not.toContain(secret)
})
