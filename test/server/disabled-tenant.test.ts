import { expect, test } from 'vitest'

import { openHome } from '../door/support/archived.ts'
import { HttpHome } from '../door/support/http-home.ts'

test('a token of a disabled tenant is refused with that among the reasons, and who makes one is warned', async () => {
  const home = await openHome({})
  const server = await HttpHome.start(home)
  expect(await home.cli(['tenant', 'create', 'acme'])).toMatchObject({ code: 0 })
  const make = async (name: string) =>
    await home.cli(['token', 'create', '--name', name], { env: { VERBATIM_TENANT: 'acme' } })
  expect(await make('early')).toMatchObject({ code: 0, stderr: expect.not.stringContaining('disabled') })

  expect(await home.cli(['tenant', 'disable', 'acme'])).toMatchObject({ code: 0 })
  const { code, stdout, stderr } = await make('late')
  expect(code).toBe(0)
  expect(stderr).toMatch(/warning: Its tenant "acme" is disabled, .*: verbatim tenant enable "acme"\n/)
  const post = async () => await server.post({ headers: { authorization: `Bearer ${stdout.trim()}` } })
  const refused = await post()
  expect(refused.status).toBe(401)
  expect(await refused.text()).toContain('or its tenant is disabled')

  expect(await home.cli(['tenant', 'enable', 'acme'])).toMatchObject({ code: 0 })
  await expect.poll(async () => (await post()).status, { timeout: 30_000, interval: 200 }).toBe(200)
})
