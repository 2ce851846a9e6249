import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { isOnServer } from '../support/test-store.ts'
import { useHome } from './support/home.ts'
import { OAuthHome } from './support/oauth-home.ts'

const home = useHome()
let door: OAuthHome

beforeAll(async () => {
  door = await OAuthHome.start(home, { env: () => ({ VERBATIM_OAUTH_TENANT_CLAIM: 'org' }) })
})
afterAll(async () => {
  await door[Symbol.asyncDispose]()
})

async function refusal(claims: Readonly<Record<string, unknown>>): Promise<string> {
  const response = await door.post(door.issuer.token(claims))
  return `${response.status} ${await response.text()}`
}

describe('a claim that names the tenant', () => {
  test.each([
    ['is missing', {}, 'names no tenant in its claim \\"org\\"'],
    ['names none that there is', { org: 'nobody' }, 'its tenant is unknown here'],
    ['is a number', { org: 1 }, 'its tenant cannot be read'],
    ['is empty', { org: '' }, 'its tenant cannot be read'],
    ['is what no store can keep', { org: 'a\0' }, 'its tenant cannot be read'],
  ])('lets nobody in where it %s', async (_what, claims, reason) => {
    const refused = await refusal(claims)
    expect(refused).toMatch(/^403 /)
    expect(refused).toContain(reason)
  })

  test('lets into the first tenant by its name', async () => {
    const database = home.database()
    const [first] = await database.sql`select name from tenants where id = 1`
    await database.close()
    expect((await door.post(door.issuer.token({ org: first?.['name'] }))).status).toBe(200)
    expect((await door.post(door.http.token)).status).toBe(200)
  })

  // An embedded store has one tenant.
  test.skipIf(!isOnServer)('keeps tenants apart, and those out whose tenant is disabled', async () => {
    const database = home.database()
    const [first] = await database.sql`select name from tenants where id = 1`
    await database.sql`insert into tenants (id, name) values (2, 'acme')`
    const claims = { sub: 'ada', scope: 'memory:read memory:write' }
    const here = await door.http.tools(door.issuer.token({ ...claims, org: first?.['name'] }))
    const there = await door.http.tools(door.issuer.token({ ...claims, org: 'acme' }))
    await there.save({ content: 'Of Acme alone.', sender: 'Ada', session_id: 'plans' })
    expect((await there.session('plans')).messages[0]?.content).toBe('Of Acme alone.')
    expect(await here.refusal('get_session', { session_id: 'plans' })).toContain('No session')
    const principals = await database.sql`select tenant_id from principals where subject = 'ada' order by tenant_id`
    expect(principals.length).toBe(2)
    await database.sql`update tenants set disabled_at = now() where name = 'acme'`
    await database.close()
    await expect.poll(() => refusal({ ...claims, org: 'acme' }), { timeout: 15_000 }).toMatch(/^403 .*disabled/)
  })
})

test.skipIf(!isOnServer)('without such a claim, all act for the tenant that the settings name', async () => {
  expect((await home.cli(['tenant', 'create', 'the one'])).code).toBe(0)
  await using other = await OAuthHome.start(home, { env: () => ({ VERBATIM_TENANT: 'the one' }) })
  const claims = { sub: 'linus', scope: 'memory:read memory:write' }
  await (await other.http.tools(other.issuer.token(claims))).save({ content: 'Of the one.', sender: 'Linus' })
  const database = home.database()
  const rows = await database.sql`
    select t.name from messages m join tenants t on t.id = m.tenant_id where m.sender = 'Linus'`
  await database.close()
  expect([...rows]).toEqual([{ name: 'the one' }])
})
