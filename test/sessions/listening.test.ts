import { expect, onTestFinished, test } from 'vitest'

import { createLog } from '../../src/log.ts'
import { answerHttp } from '../../src/mcp/http.ts'
import { Subscriptions } from '../../src/mcp/subscriptions.ts'
import { caller, useStore } from './store.ts'

const store = useStore({ VERBATIM_ROLLING_SUMMARIES: 'off', VERBATIM_LEARNING: 'off' })

const revision = '2026-07-28'

/** The frames of a stream of notices over HTTP, one after the other, beside what the server does of it. */
async function listen(uri: string, order: string[]) {
  const { open } = store
  const watched = new Proxy(open, {
    get(target, name) {
      if (name !== 'sessionVersions') {
        const member: unknown = Reflect.get(target, name, target)
        return typeof member === 'function' ? member.bind(target) : member
      }
      return async (...asked: Parameters<typeof open.sessionVersions>) => {
        const versions = await target.sessionVersions(...asked)
        order.push('looked')
        return versions
      }
    },
  })
  const message = {
    jsonrpc: '2.0',
    id: 1,
    method: 'subscriptions/listen',
    params: {
      notifications: { resourceSubscriptions: [uri] },
      _meta: {
        'io.modelcontextprotocol/protocolVersion': revision,
        'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    },
  }
  const ended = new AbortController()
  onTestFinished(() => ended.abort())
  const body = JSON.stringify(message)
  const request = new Request('http://127.0.0.1/mcp', {
    method: 'POST',
    body,
    signal: ended.signal,
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': revision,
      'mcp-method': message.method,
    },
  })
  const response = await answerHttp(request, Buffer.from(body), {
    version: '0',
    tools: () => Promise.resolve([]),
    readOnly: true,
    open: () => Promise.resolve(watched),
    caller: () => caller,
    log: createLog('silent'),
  })
  expect(response.status).toBe(200)
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  return async () => (await reader?.read())?.value ?? ''
}

test('a stream of notices is acknowledged when what was asked for is watched, and tells of a change right after', async () => {
  const sessionId = await store.session([{ content: 'a' }])
  const order: string[] = []
  const next = await listen(`session://${sessionId}`, order)
  expect(await next()).toContain('notifications/subscriptions/acknowledged')
  order.push('acknowledged')
  await store.open.saveMessages(caller, { sessionId, messages: [{ content: 'b', sender: 'Ann', role: 'user' }] })
  expect(order.slice(0, 2)).toEqual(['looked', 'acknowledged'])
  const notice = await next()
  expect(notice).toContain('notifications/resources/updated')
  expect(notice).toContain(sessionId)
})

test('what is subscribed to twice is told of where it changed in between', async () => {
  const sessionId = await store.session([{ content: 'a' }])
  const heard: string[] = []
  const subscriptions = new Subscriptions({
    open: () => Promise.resolve(store.open),
    caller: () => caller,
    log: createLog('silent'),
    changed: (uri) => heard.push(uri),
  })
  onTestFinished(() => subscriptions.close())
  const uri = `session://${sessionId}`
  expect(await subscriptions.subscribe(uri, caller)).toBe(true)
  await store.open.saveMessages(caller, { sessionId, messages: [{ content: 'b', sender: 'Ann', role: 'user' }] })
  expect(await subscriptions.subscribe(uri, caller)).toBe(true)
  await expect.poll(() => heard, { timeout: 10_000 }).toEqual([uri])
})
