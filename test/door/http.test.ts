import { once } from 'node:events'
import { statSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { useHome } from './support/home.ts'
import { HttpHome } from './support/http-home.ts'

const home = useHome()
let server: HttpHome

beforeAll(async () => {
  server = await HttpHome.start(home, { keep: true })
})
afterAll(async () => {
  await server.stop()
})

const errorSchema = z.object({ error: z.object({ code: z.number(), message: z.string() }) })

async function refusalOf(response: Response): Promise<{ status: number; code: number; message: string }> {
  const { error } = errorSchema.parse(await response.json())
  return { status: response.status, ...error }
}

/** The status of a request whose Host header is not the one that `fetch` would send. */
async function statusFor(headers: Readonly<Record<string, string>>): Promise<number> {
  return await new Promise((resolve, reject) => {
    const sent = request(`${server.url}/mcp`, { method: 'POST', headers }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    sent.on('error', reject)
    sent.end('{}')
  })
}

describe('MCP over HTTP', () => {
  test('serves both generations of the protocol from one memory', async () => {
    const legacy = await server.tools()
    const { session_id: id } = await legacy.save({ content: 'The Marguerite lies in berth 14.', sender: 'Ada' })
    expect(await legacy.hits({ query: 'Marguerite' })).toEqual(['The Marguerite lies in berth 14.'])
    const modern = await server.modern()
    expect(modern.getServerVersion()).toMatchObject({ name: 'verbatim' })
    const { tools } = await modern.listTools()
    expect(tools.map(({ name }) => name)).toEqual((await legacy.client.listTools()).tools.map(({ name }) => name))
    const read = await modern.readResource({ uri: `session://${id}` })
    expect(JSON.stringify(read.contents)).toContain('berth 14')
    const stdio = await home.tools()
    expect(await stdio.hits({ query: 'Marguerite' })).toEqual(['The Marguerite lies in berth 14.'])
    const documented = await stdio.session(id)
    expect(documented.messages[0]?.content).toBe('The Marguerite lies in berth 14.')
  })

  test('takes a message of 8 MiB, and refuses a request of more than 10 by the limit', async () => {
    const tools = await server.tools()
    const content = 'z'.repeat(8 * 1024 * 1024 - 2)
    const saved = await tools.save({ content, sender: 'Ada', session_id: 'large' })
    expect(saved.seq).toBe(1)
    const refused = await refusalOf(await server.post({ body: `"${'z'.repeat(10 * 1024 * 1024)}"` }))
    expect(refused).toEqual({ status: 413, code: -32_600, message: expect.stringContaining('must be <= 10485760') })
  })

  test('keeps the answers of calls with the same id apart', async () => {
    const tools = await server.tools()
    for (const name of ['one', 'two', 'three'])
      await tools.save({ content: `message of ${name}`, sender: 'Ada', session_id: name })
    const answers = await Promise.all(
      Array.from({ length: 60 }, async (_, index) => {
        const name = ['one', 'two', 'three'][index % 3]
        const body = JSON.stringify({
          jsonrpc: '2.0',
          id: 7,
          method: 'tools/call',
          params: { name: 'get_session', arguments: { session_id: name } },
        })
        const text = await (await server.post({ body })).text()
        return (
          text.includes(`message of ${name}`) && [...text.matchAll(/message of (\w+)/g)].every(([, of]) => of === name)
        )
      }),
    )
    expect(answers).toEqual(answers.map(() => true))
  })

  test('tells a stream of notices of what another client changed, and of nothing else', async () => {
    const tools = await server.tools()
    const { session_id: id } = await tools.save({ content: 'a', sender: 'Ada', session_id: 'watched' })
    const modern = await server.modern()
    const heard: string[] = []
    modern.setNotificationHandler('notifications/resources/updated', ({ params }) => void heard.push(params.uri))
    const uri = `session://${id}`
    const subscription = await modern.listen({ resourceSubscriptions: [uri] })
    await tools.save({ content: 'b', sender: 'Ada', session_id: 'unwatched' })
    await tools.save({ content: 'b', sender: 'Ada', session_id: 'watched' })
    await expect.poll(() => heard, { timeout: 10_000 }).toEqual([uri])
    await subscription.close()
  })

  test('promises a client of the older revisions no notices, as nothing would carry them', async () => {
    const { client } = await server.tools()
    expect(client.getServerCapabilities()?.resources).toEqual({ subscribe: false, listChanged: false })
    await expect(client.subscribeResource({ uri: 'memory://status' })).rejects.toThrow(/Method not found/)
  })
})

describe('what comes in wrong is refused in the form of the protocol', () => {
  test.each([
    ['no JSON', { body: '{nope' }, 400, -32_700],
    ['no body', { body: '' }, 400, -32_700],
    ['bytes that are no text', { body: Uint8Array.of(0x22, 0xff, 0x22) }, 400, -32_700],
    ['a batch without end', { body: JSON.stringify(Array.from({ length: 101 }, () => ({}))) }, 400, -32_700],
    ['another type', { headers: { 'content-type': 'text/plain' } }, 415, -32_600],
    ['a stream that is asked for', { method: 'GET' }, 405, -32_600],
    ['a session that is ended', { method: 'DELETE' }, 405, -32_600],
  ] as const)('%s', async (...[, options, status, code]) => {
    expect(await refusalOf(await server.post(options))).toEqual({ status, code, message: expect.any(String) })
  })

  test('and the next request is answered', async () => {
    expect((await server.post()).status).toBe(200)
  })
})

describe('who comes in', () => {
  test('the token of the owner is in a file that only the owner can read, and nowhere else', () => {
    expect(statSync(join(home.path, 'token')).mode & 0o777).toBe(0o600)
    expect(server.token).toMatch(/^vbt_[\w-]{43}$/)
    expect(server.said).toContain(join(home.path, 'token'))
    expect(server.said).not.toContain(server.token)
  })

  test.each([
    ['no token', '', /access token is needed/],
    ['another scheme', 'Basic dXNlcjpwYXNz', /access token is needed/],
    ['a token of somebody else', 'Bearer sk-0123456789', /unknown, expired or revoked/],
    ['a token that was never made', `Bearer vbt_${'a'.repeat(43)}`, /unknown, expired or revoked/],
  ])('not %s', async (_what, authorization, message) => {
    const response = await server.post({ headers: { authorization } })
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer realm="verbatim"/)
    expect(await refusalOf(response)).toMatchObject({ status: 401, message: expect.stringMatching(message) })
  })

  test('a token sees the tools of its scopes and no others', async () => {
    const reader = await server.tools(await server.newToken('--name', 'reader', '--scopes', 'memory:read'))
    const names = (await reader.client.listTools()).tools.map(({ name }) => name)
    expect(names).toContain('search_memory')
    expect(names).not.toContain('save_message')
    expect(await reader.refusal('get_session', { session_id: 'nowhere' })).toContain('No session')
    await expect(
      reader.client.callTool({ name: 'save_message', arguments: { content: 'x', sender: 'y' } }),
    ).rejects.toThrow(/Unknown tool "save_message"/)
    const writer = await server.tools(await server.newToken('--name', 'writer', '--scopes', 'write'))
    expect((await writer.client.listTools()).tools.map(({ name }) => name)).not.toContain('search_memory')
    await expect(writer.client.readResource({ uri: 'memory://sessions' })).rejects.toThrow(
      /lacks the scope memory:read/,
    )
  })

  test('a token that is revoked is refused within seconds', async () => {
    const token = await server.newToken('--name', 'lost laptop')
    const authorization = `Bearer ${token}`
    expect((await server.post({ headers: { authorization } })).status).toBe(200)
    expect((await home.cli(['token', 'revoke', 'lost laptop'])).stdout).toMatch(/^revoked lost laptop/)
    await expect
      .poll(async () => (await server.post({ headers: { authorization } })).status, { timeout: 15_000, interval: 500 })
      .toBe(401)
    const { stdout } = await home.cli(['token', 'list', '--json'])
    expect(stdout).not.toContain('vbt_')
    expect(JSON.parse(stdout)).toContainEqual(expect.objectContaining({ name: 'lost laptop', state: 'revoked' }))
  })

  test('a web page of this machine, and none of another site', async () => {
    const { host } = new URL(server.url)
    const authorization = `Bearer ${server.token}`
    expect((await server.post({ headers: { origin: server.url } })).status).toBe(200)
    for (const origin of ['http://evil.example', 'null', 'http://localhost.evil.example', 'file://'])
      expect((await server.post({ headers: { origin } })).status).toBe(403)
    expect(await statusFor({ host: 'evil.example', authorization })).toBe(403)
    expect(await statusFor({ host: 'localhost.evil.example:80', authorization })).toBe(403)
    expect(await statusFor({ host, authorization })).not.toBe(403)
  })
})

describe('a web page of an origin that may', () => {
  test('is let in when it asks first, and no other', async () => {
    const origin = 'https://chat.example.org'
    const other = await HttpHome.start(home, { env: { VERBATIM_HTTP_ORIGINS: origin } })
    const ask = async (from: string) =>
      await other.post({
        method: 'OPTIONS',
        headers: { origin: from, 'access-control-request-method': 'POST', authorization: '' },
      })
    const answer = await ask(origin)
    expect(answer.status).toBe(204)
    expect(answer.headers.get('access-control-allow-origin')).toBe(origin)
    const sent = await other.post({ headers: { origin } })
    expect(sent.status).toBe(200)
    expect(sent.headers.get('access-control-allow-origin')).toBe(origin)
    for (const from of ['http://chat.example.org', 'https://chat.example.org:444', 'https://evil.example'])
      expect((await ask(from)).status).toBe(403)
  })

  test('must be written as one', async () => {
    const { code, stderr } = await home.cli(['serve'], { env: { VERBATIM_HTTP_ORIGINS: 'chat.example.org' } })
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('not the origin of a web page') })
  })
})

describe('the process', () => {
  test('says how it is', async () => {
    expect(await (await fetch(`${server.url}/healthz`)).json()).toMatchObject({ status: 'ok' })
    expect(await (await fetch(`${server.url}/readyz`)).json()).toEqual({ status: 'ready' })
    expect((await fetch(`${server.url}/nowhere`)).status).toBe(404)
  })

  test('leaves when it is told to, and answers what it had begun', async () => {
    const other = await HttpHome.start(home)
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'save_message', arguments: { content: 'last words', sender: 'Ada', session_id: 'leaving' } },
    })
    const sent = request(`${other.url}/mcp`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${other.token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'content-length': Buffer.byteLength(body),
        expect: '100-continue',
      },
    })
    const answered = new Promise<string>((resolve, reject) => {
      sent.on('error', reject)
      sent.on('response', (response) => {
        response.setEncoding('utf8')
        let text = ''
        response.on('data', (chunk: string) => (text += chunk)).on('end', () => resolve(text))
      })
    })
    // The server says so when it has begun with the request, whose body it waits for then.
    await once(sent, 'continue')
    const leaving = other.stop()
    await sleep(300)
    expect(other.child.exitCode).toBeNull()
    sent.end(body)
    expect(await answered).toContain('\\"seq\\": 1')
    expect(await leaving).toBe(0)
    expect((await (await server.tools()).session('leaving')).messages[0]?.content).toBe('last words')
  })

  test('with --read-only offers no tool that writes, and with --insecure-no-auth asks for no token', async () => {
    const open = await HttpHome.start(home, { args: ['--insecure-no-auth', '--read-only'] })
    expect(open.said).toContain('WITHOUT access tokens')
    const response = await open.post({ headers: { authorization: '' } })
    const text = await response.text()
    expect(text).toContain('search_memory')
    expect(text).not.toContain('save_message')
  })

  test('as a worker serves no MCP', async () => {
    const worker = await HttpHome.start(home, { env: { VERBATIM_ROLE: 'worker' } })
    expect((await worker.post()).status).toBe(404)
    expect(worker.said).toContain('/metrics asks for a token with memory:admin')
    expect(worker.said).not.toContain('mcp add')
    expect((await fetch(`${worker.url}/readyz`)).status).toBe(200)
  })

  test.each([
    [['--host', '0.0.0.0', '--insecure-no-auth'], /without access tokens as other machines can reach it/],
    [['--port', '70000'], /whole number from 0 to 65535/],
    [['--tools', 'nothing'], /no such tool/],
  ])('refuses to start with %j', async (args, message) => {
    const { code, stderr } = await home.cli(['serve', ...args])
    expect(code).toBe(2)
    expect(stderr).toMatch(message)
  })

  test('says that its port is taken', async () => {
    const { code, stderr } = await home.cli(['serve', '--port', new URL(server.url).port])
    expect(code).toBe(3)
    expect(stderr).toMatch(/another program has it.*--port/s)
  })
})
