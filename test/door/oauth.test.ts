import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

import {
  Client as ModernClient,
  ClientCredentialsProvider as ModernProvider,
  StreamableHTTPClientTransport as ModernHttp,
} from '@modelcontextprotocol/client'
import { ClientCredentialsProvider } from '@modelcontextprotocol/sdk/client/auth-extensions.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'

import {
  newKey,
  publiclySignedToken,
  signedToken,
  unsignedToken,
  type AuthorizationServer,
  type SigningKey,
} from '../support/stand-ins/authorization-server.ts'
import { useHome } from './support/home.ts'
import { OAuthHome } from './support/oauth-home.ts'
import { Tools } from './support/tools.ts'

const home = useHome()
let door: OAuthHome
const rsa = newKey('RS256')
const others = [newKey('PS256'), newKey('ES256'), newKey('EdDSA')]

beforeAll(async () => {
  door = await OAuthHome.start(home, { prepare: (issuer) => void (issuer.keys = [...others, rsa]) })
})
afterAll(async () => {
  await door[Symbol.asyncDispose]()
})

const now = () => Math.floor(Date.now() / 1_000)
const errorSchema = z.object({ error: z.object({ message: z.string() }) })

async function refusalOf(response: Response) {
  const { error } = errorSchema.parse(await response.json())
  return { status: response.status, message: error.message, challenge: response.headers.get('www-authenticate') }
}

/** One of the store's rows, without the product in between. */
async function inStore<T>(work: (sql: ReturnType<typeof home.database>['sql']) => Promise<T>): Promise<T> {
  const database = home.database()
  try {
    return await work(database.sql)
  } finally {
    await database.close()
  }
}

describe('a client that has no token', () => {
  test('is told where it gets one, in the answer and at the well-known address', async () => {
    const response = await door.http.post({ headers: { authorization: '' } })
    const metadataUrl = `${new URL(door.audience).origin}/.well-known/oauth-protected-resource/mcp`
    expect(await refusalOf(response)).toEqual({
      status: 401,
      message: expect.stringContaining(door.issuer.issuer),
      challenge: `Bearer realm="verbatim", scope="memory:read memory:write", resource_metadata="${metadataUrl}"`,
    })
    for (const url of [metadataUrl, metadataUrl.replace(/\/mcp$/, '')]) {
      const metadata = await fetch(url)
      expect(metadata.status).toBe(200)
      expect(await metadata.json()).toEqual({
        resource: door.audience,
        authorization_servers: [door.issuer.issuer],
        scopes_supported: ['memory:read', 'memory:write'],
        bearer_methods_supported: ['header'],
        resource_name: 'Verbatim',
      })
    }
  })

  test('finds the authorization server by itself, gets a token and uses the memory', async () => {
    door.issuer.clients.set('robot', 'secret')
    const options = { clientId: 'robot', clientSecret: 'secret', expectedIssuer: door.issuer.issuer }
    const transport = new StreamableHTTPClientTransport(new URL(door.audience), {
      // The older client asks for what it was told to ask for, not for what the server names.
      authProvider: new ClientCredentialsProvider({ ...options, scope: 'memory:read memory:write' }),
    })
    const client = new Client({ name: 'robot', version: '1.0.0' })
    await client.connect(transport)
    onTestFinished(() => client.close())
    await new Tools(client).save({ content: 'The Colette lies in berth 7.', sender: 'robot' })
    const modern = new ModernClient({ name: 'robot', version: '2.0.0' }, { versionNegotiation: { mode: 'auto' } })
    await modern.connect(new ModernHttp(new URL(door.audience), { authProvider: new ModernProvider(options) }))
    onTestFinished(() => modern.close())
    const found = await modern.callTool({ name: 'search_memory', arguments: { query: 'Colette' } })
    expect(JSON.stringify(found)).toContain('berth 7')
  })
})

describe('a token is taken', () => {
  test.each<[string, (issuer: AuthorizationServer) => string]>([
    ['that is signed with RS256', (issuer) => issuer.token()],
    ...others.map((key): [string, (issuer: AuthorizationServer) => string] => [
      `that is signed with ${key.algorithm}`,
      (issuer) => signedToken(issuer.claims(), key),
    ]),
    ['that is for others too', (issuer) => issuer.token({ aud: ['https://other.example', door.audience] })],
    ['whose scopes are a list', (issuer) => issuer.token({ scope: undefined, scp: ['memory:read'] })],
    ['that expired a moment ago by this clock', (issuer) => issuer.token({ exp: now() - 10 })],
    ['that is good in a moment by this clock', (issuer) => issuer.token({ nbf: now() + 10, iat: now() + 10 })],
    ['of the kind that has no type', (issuer) => issuer.token({}, { typ: undefined })],
  ])('%s', async (_what, make) => {
    expect((await door.post(make(door.issuer))).status).toBe(200)
  })

  test('of this program, as before', async () => {
    expect((await door.post(door.http.token)).status).toBe(200)
  })
})

describe('a token is refused', () => {
  const forged = (key: SigningKey): SigningKey => ({ ...newKey(key.algorithm), id: key.id })
  test.each<[string, (issuer: AuthorizationServer) => string, RegExp]>([
    ['made for another server', (issuer) => issuer.token({ aud: 'https://other.example/mcp' }), /not made for this/],
    ['made for a part of the address', (issuer) => issuer.token({ aud: door.audience.slice(0, -1) }), /not made for/],
    ['made for nobody', (issuer) => issuer.token({ aud: undefined }), /not made for this/],
    ['of another issuer', (issuer) => issuer.token({ iss: 'https://evil.example' }), /not of the authorization server/],
    ['of an issuer that looks like it', (issuer) => issuer.token({ iss: `${issuer.issuer}/` }), /not of the auth/],
    ['of no issuer', (issuer) => issuer.token({ iss: undefined }), /not of the authorization server/],
    ['that has expired', (issuer) => issuer.token({ exp: now() - 60 }), /has expired/],
    ['that never expires', (issuer) => issuer.token({ exp: undefined }), /"exp" is missing/],
    ['that is not good yet', (issuer) => issuer.token({ nbf: now() + 120 }), /not good yet/],
    ['that names nobody', (issuer) => issuer.token({ sub: undefined }), /"sub" is missing/],
    ['that names somebody without end', (issuer) => issuer.token({ sub: 'x'.repeat(256) }), /1 to 255 characters/],
    ['that names what no store can keep', (issuer) => issuer.token({ sub: 'a\0' }), /1 to 255 characters/],
    ['that nobody signed', (issuer) => unsignedToken(issuer.claims()), /proves nothing/],
    ['whose secret is the public key', (issuer) => publiclySignedToken(issuer.claims(), rsa), /proves nothing/],
    ['of a key that is not published', (issuer) => signedToken(issuer.claims(), newKey()), /does not publish/],
    ['of another key under its name', (issuer) => signedToken(issuer.claims(), forged(rsa)), /signature is wrong/],
    [
      'that was changed after it was signed',
      (issuer) => {
        const [header, , signature] = issuer.token({ scope: 'memory:read' }).split('.')
        return `${header}.${issuer.token().split('.')[1]}.${signature}`
      },
      /signature is wrong/,
    ],
    ['that is no token', () => 'eyJhbGciOiJSUzI1NiJ9.eyJ.x', /cannot|can read|not of the authorization/],
  ])('%s', async (_what, make, reason) => {
    const refused = await refusalOf(await door.post(make(door.issuer)))
    expect(refused).toEqual({
      status: 401,
      message: expect.stringMatching(reason),
      challenge: expect.stringMatching(/^Bearer .*error="invalid_token".*resource_metadata="http/),
    })
  })

  test('in the address, where it would be written down', async () => {
    const url = `${door.audience}?access_token=${door.issuer.token()}`
    expect((await fetch(url, { method: 'POST', body: '{}' })).status).toBe(401)
  })

  test('of 100 kB, and where there are two', async () => {
    expect((await door.post(door.issuer.token({ padding: 'x'.repeat(100_000) }))).status).toBe(431)
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const tokens = [door.issuer.token({ aud: 'https://other.example' }), door.issuer.token()]
      const sent = request(door.audience, { method: 'POST' }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
      sent.on('error', reject)
      sent.setHeader(
        'authorization',
        tokens.map((token) => `Bearer ${token}`),
      )
      sent.end('{}')
    })
    expect(status).toBe(401)
  })
})

describe('scopes of a token', () => {
  const message = (method: string, params: object) => JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const save = message('tools/call', { name: 'save_message', arguments: { content: 'x', sender: 'y' } })

  test('hide the tools that they do not allow', async () => {
    const reader = await door.http.tools(door.issuer.token({ scope: 'openid memory:read profile' }))
    const names = (await reader.client.listTools()).tools.map(({ name }) => name)
    expect(names).toContain('search_memory')
    expect(names).not.toContain('save_message')
  })

  test.each([
    ['a tool', 'memory:read', save, 'memory:write'],
    ['a tool in a batch', 'memory:read', `[${message('ping', {})},${save}]`, 'memory:write'],
    ['a resource', 'memory:write', message('resources/read', { uri: 'memory://sessions' }), 'memory:read'],
    ['a prompt', 'memory:write', message('prompts/get', { name: 'recall' }), 'memory:read'],
  ])('that do not allow %s are told which would', async (...[, scope, body, needed]) => {
    const refused = await refusalOf(await door.post(door.issuer.token({ scope }), { body }))
    expect(refused.status).toBe(403)
    expect(refused.challenge).toMatch(`error="insufficient_scope"`)
    expect(refused.challenge).toMatch(`scope="${needed}", resource_metadata="`)
  })

  test('that are none of ours allow nothing', async () => {
    const refused = await refusalOf(await door.post(door.issuer.token({ scope: 'openid memory:everything' })))
    expect(refused.status).toBe(403)
    expect(refused.challenge).toMatch('scope="memory:read memory:write"')
  })

  test('allow the tool when it is called with them', async () => {
    const answer = await door.post(door.issuer.token({ scope: 'memory:write' }), { body: save })
    expect(await answer.text()).toContain('message_id')
  })
})

describe('whom a token names', () => {
  test('is a principal from the first time on, once, and is named in the audit log', async () => {
    const token = door.issuer.token({ sub: 'grace' })
    const answers = await Promise.all(Array.from({ length: 8 }, () => door.post(token)))
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
    await (await door.http.tools(token)).save({ content: 'x', sender: 'Grace' })
    const name = `${door.issuer.issuer} grace`
    const found = await inStore(async (sql) => ({
      principals: await sql`select name, issuer, tenant_id from principals where subject = 'grace'`,
      actions: await sql`select distinct action from audit_log where actor = ${name} order by action`,
    }))
    expect([...found.principals]).toEqual([{ name, issuer: door.issuer.issuer, tenant_id: 1 }])
    expect(found.actions.map(({ action }) => String(action))).toContain('principal.create')
    expect(found.actions.length).toBe(2)
  })

  test('is not let in any more when disabled', async () => {
    const token = door.issuer.token({ sub: 'mallory' })
    expect((await door.post(token)).status).toBe(200)
    await inStore((sql) => sql`update principals set disabled_at = now() where subject = 'mallory'`)
    await expect.poll(async () => (await door.post(token)).status, { timeout: 15_000, interval: 500 }).toBe(403)
    expect(await refusalOf(await door.post(token))).toMatchObject({ message: expect.stringMatching(/disabled here/) })
    expect((await door.post(door.issuer.token())).status).toBe(200)
  })
})

describe('a stream of notices', () => {
  const uri = 'memory://status'

  test('ends within seconds when its token is revoked, and goes on where another was', async () => {
    const lost = await door.http.newToken('--name', 'lost')
    const kept = await door.http.newToken('--name', 'kept')
    const listen = async (token: string) => (await door.http.modern(token)).listen({ resourceSubscriptions: [uri] })
    const [ending, going] = [await listen(lost), await listen(kept)]
    let hasEnded = false
    void going.closed.then(() => (hasEnded = true))
    await sleep(4_000)
    expect((await home.cli(['token', 'revoke', 'lost'])).code).toBe(0)
    const revokedAt = performance.now()
    expect(await ending.closed).toBe('remote')
    expect(performance.now() - revokedAt).toBeLessThan(15_000)
    expect(hasEnded).toBe(false)
    await going.close()
  })

  test('ends when its token expires', async () => {
    // Good for a few seconds more, as clocks may differ by 30.
    const modern = await door.http.modern(door.issuer.token({ exp: now() - 22 }))
    const subscription = await modern.listen({ resourceSubscriptions: [uri] })
    const listenedAt = performance.now()
    expect(await subscription.closed).toBe('remote')
    expect(performance.now() - listenedAt).toBeLessThan(20_000)
  })
})
