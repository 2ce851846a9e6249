import { describe, expect, test } from 'vitest'

import { newKey, signedToken, type AuthorizationServer } from '../support/stand-ins/authorization-server.ts'
import { useHome } from './support/home.ts'
import { OAuthHome } from './support/oauth-home.ts'

const home = useHome()

describe('the keys of an authorization server', () => {
  test('are asked for once, and again when a token names one that is not known', async () => {
    await using door = await OAuthHome.start(home)
    const { issuer } = door
    expect(issuer.keyRequests).toBe(0)
    for (const sub of ['one', 'two', 'three']) expect((await door.post(issuer.token({ sub }))).status).toBe(200)
    expect(issuer.keyRequests).toBe(1)
    const before = issuer.key
    issuer.keys.push(newKey('ES256'))
    await expect
      .poll(async () => (await door.post(issuer.token())).status, { timeout: 30_000, interval: 250 })
      .toBe(200)
    expect(issuer.keyRequests).toBe(2)
    // Made-up names of keys do not make the server ask all the time.
    for (let count = 0; count < 20; count++)
      expect((await door.post(signedToken(issuer.claims(), newKey('EdDSA')))).status).toBe(401)
    expect(issuer.keyRequests).toBe(2)
    expect((await door.post(signedToken(issuer.claims({ sub: 'before' }), before))).status).toBe(200)
  })

  test('that cannot be had let nobody in but who has a token of this program, until they can be', async () => {
    await using door = await OAuthHome.start(home)
    const { issuer } = door
    issuer.plan({ kind: 'reset' })
    const refused = await door.post(issuer.token())
    expect({ status: refused.status, retryAfter: refused.headers.get('retry-after') }).toEqual({
      status: 503,
      retryAfter: '5',
    })
    const asked = issuer.requests.length
    for (let count = 0; count < 20; count++) expect((await door.post(issuer.token())).status).toBe(503)
    expect(issuer.requests.length).toBe(asked)
    expect((await door.post(door.http.token)).status).toBe(200)
    // A token of somebody else is none, whether its issuer's keys can be had or not.
    expect((await door.post(issuer.token({ iss: 'https://evil.example' }))).status).toBe(401)
    await expect
      .poll(async () => (await door.post(issuer.token())).status, { timeout: 30_000, interval: 250 })
      .toBe(200)
    issuer.plan({ kind: 'status', status: 500 })
    expect((await door.post(issuer.token({ sub: 'still' }))).status).toBe(200)
  })

  test.each([
    ['the metadata of OpenID Connect', { metadataPath: '/.well-known/openid-configuration', env: () => ({}) }],
    [
      'a setting, where there is no metadata',
      { metadataPath: '', env: (url: string) => ({ VERBATIM_OAUTH_JWKS_URL: `${url}/keys` }) },
    ],
  ])('are found by %s', async (_where, { metadataPath, env }) => {
    const prepare = (issuer: AuthorizationServer) => void (issuer.metadataPath = metadataPath)
    await using door = await OAuthHome.start(home, { prepare, env })
    expect((await door.post(door.issuer.token())).status).toBe(200)
  })

  test.each([
    ['names another issuer', { issuer: 'https://evil.example', jwks_uri: 'https://evil.example/keys' }],
    ['is not to be read', { keys: [] }],
  ])('are not taken from metadata that %s', async (_what, body) => {
    await using door = await OAuthHome.start(home)
    door.issuer.plan({ kind: 'status', status: 200, body })
    expect((await door.post(door.issuer.token())).status).toBe(503)
    expect(door.issuer.keyRequests).toBe(0)
    await expect.poll(() => door.http.said, { timeout: 5_000 }).toMatch(/the keys of \S+ cannot be had: \S+/)
  })
})

describe('serve', () => {
  const issuer = 'https://login.example.org'
  const audience = 'https://memory.example.org/mcp'

  test.each<[string, Readonly<Record<string, string>>, RegExp]>([
    ['an issuer without an audience', { VERBATIM_OAUTH_ISSUER: issuer }, /VERBATIM_OAUTH_AUDIENCE is not/],
    ['an audience without an issuer', { VERBATIM_OAUTH_AUDIENCE: audience }, /VERBATIM_OAUTH_ISSUER is not/],
    [
      'an issuer that anybody could be',
      { VERBATIM_OAUTH_ISSUER: 'http://login.example.org', VERBATIM_OAUTH_AUDIENCE: audience },
      /not an https address/,
    ],
    [
      'an audience that is no address',
      { VERBATIM_OAUTH_ISSUER: issuer, VERBATIM_OAUTH_AUDIENCE: 'verbatim' },
      /not an https address/,
    ],
    [
      'keys that anybody could change on their way',
      {
        VERBATIM_OAUTH_ISSUER: issuer,
        VERBATIM_OAUTH_AUDIENCE: audience,
        VERBATIM_OAUTH_JWKS_URL: 'http://login.example.org/keys',
      },
      /not an https address/,
    ],
  ])('refuses to start with %s', async (_what, env, message) => {
    const { code, stderr } = await home.cli(['serve', '--port', '0'], { env })
    expect(code).toBe(2)
    expect(stderr).toMatch(message)
  })
})
