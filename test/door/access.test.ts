import { afterAll, beforeAll, expect, test } from 'vitest'

import { isOnServer } from '../support/test-store.ts'
import { useHome } from './support/home.ts'
import { HttpHome } from './support/http-home.ts'
import type { Tools } from './support/tools.ts'

const home = useHome()
let server: HttpHome

beforeAll(async () => {
  server = await HttpHome.start(home, { keep: true })
})
afterAll(async () => {
  await server.stop()
})

test('a session is shared with some by the command line, and the next call of the others finds it gone', async () => {
  const ada = await server.tools(await server.newToken('--name', 'a', '--principal', 'ada'))
  const bob = await server.tools(await server.newToken('--name', 'b', '--principal', 'bob'))
  const { session_id: id } = await ada.save({ content: 'The cellar door sticks.', sender: 'Ada' })
  expect(await bob.hits({ query: 'cellar' })).toEqual(['The cellar door sticks.'])

  const granted = await home.cli(['access', 'grant', id, 'ada', '--role', 'owner', '--json'])
  expect(JSON.parse(granted.stdout)).toMatchObject({ session_id: id, open: false, grants: [{ principal: 'ada' }] })
  expect(await bob.hits({ query: 'cellar' })).toEqual([])
  expect(await bob.refusal('get_session', { session_id: id })).toContain(`No session "${id}"`)
  expect(await bob.refusal('save_message', { session_id: id, content: 'x', sender: 'Bob' })).toContain(
    'shared with others only',
  )
  expect(await ada.hits({ query: 'cellar' })).toEqual(['The cellar door sticks.'])

  await home.cli(['access', 'grant', id, 'bob'])
  expect(await bob.hits({ query: 'cellar' })).toEqual(['The cellar door sticks.'])
  expect(await bob.refusal('save_message', { session_id: id, content: 'x', sender: 'Bob' })).toMatch(
    /your role in it is reader\. Ask whoever runs the server/,
  )
  const listed = await home.cli(['access', 'list', id])
  expect(listed.stdout).toMatch(/ada +owner.*\n.*bob +reader/)

  for (const taken of [
    ['grant', id, 'ada', '--role', 'reader'],
    ['revoke', id, 'ada'],
  ])
    expect(await home.cli(['access', ...taken])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Give somebody else the role owner first'),
    })
  expect(await home.cli(['access', 'revoke', id, 'bob'])).toMatchObject({ code: 0 })
  expect(await bob.hits({ query: 'cellar' })).toEqual([])
  // Whoever administers the tenant sees all of it.
  expect(await (await server.tools()).hits({ query: 'cellar' })).toEqual(['The cellar door sticks.'])
  expect(await home.cli(['access', 'revoke', id, 'ada'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('verbatim access open'),
  })
  expect(await home.cli(['access', 'open', id])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('open to everybody'),
  })
  expect(await bob.hits({ query: 'cellar' })).toEqual(['The cellar door sticks.'])
})

test('of a session that one may only read nothing is stored, what one asks a summary of neither', async () => {
  const ada = await server.tools(await server.newToken('--name', 'c', '--principal', 'ada'))
  const bob = await server.tools(await server.newToken('--name', 'd', '--principal', 'bob'))
  const { session_id: id } = await ada.save({ content: 'We decided to buy the red boat.', sender: 'Ada' })
  await home.cli(['access', 'grant', id, 'ada', '--role', 'owner'])
  await home.cli(['access', 'grant', id, 'bob', '--role', 'reader'])
  const summarized = async (tools: Tools) =>
    (await tools.call('summarize', { session_id: id, refresh: true, format: 'json' })).structured
  const stored = async () => (await ada.session(id)).context_summary

  expect(await summarized(bob)).toMatchObject({ summary: 'Ada: We decided to buy the red boat.' })
  expect(await stored()).toBeNull()
  await home.cli(['access', 'grant', id, 'bob', '--role', 'writer'])
  await summarized(bob)
  expect(await stored()).toBe('Ada: We decided to buy the red boat.')
})

test('what is not there is said by name', async () => {
  const unknown = await home.cli(['access', 'grant', 'nowhere', 'ada'])
  expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('No session "nowhere"') })
  const role = await home.cli(['access', 'grant', 'nowhere', 'ada', '--role', 'king'])
  expect(role.code).toBe(2)
  expect(role.stderr).toContain('owner, writer, reader, auditor')
})

test.skipIf(isOnServer)('the embedded store has one tenant, and says so', async () => {
  const made = await home.cli(['tenant', 'create', 'other'])
  expect(made).toMatchObject({ code: 2, stderr: expect.stringContaining('no wall between tenants') })
  const named = await home.cli(['sessions'], { env: { VERBATIM_TENANT: 'other' } })
  expect(named).toMatchObject({ code: 2, stderr: expect.stringContaining('embedded store has one tenant') })
  const store = home.database()
  try {
    await store.sql`insert into tenants (id, name) values (2, 'smuggled')`
    const served = await home.cli(['serve', '--port', '0'])
    expect(served).toMatchObject({ code: 2, stderr: expect.stringContaining('Cannot serve 2 tenants') })
  } finally {
    await store.sql`delete from tenants where id = 2`
    await store.close()
  }
})
