import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { expect, test } from 'vitest'
import { z } from 'zod'

import { freePort } from '../support/postgres.ts'
import { useHome } from './support/home.ts'
import { HttpHome } from './support/http-home.ts'

const home = useHome()

test('the health check of the Dockerfile tells a server that answers from one that does not', async () => {
  const dockerfile = readFileSync(fileURLToPath(new URL('../../Dockerfile', import.meta.url)), 'utf8')
  const [, line = ''] = /^HEALTHCHECK [^]*?\n\s+CMD (\[.*\])$/m.exec(dockerfile) ?? []
  const [program, ...args] = z.array(z.string()).parse(JSON.parse(line))
  expect(program).toBe('node')
  const server = await HttpHome.start(home)
  const check = async (port: string | number) =>
    (await home.run(process.execPath, args, { env: { VERBATIM_HTTP_PORT: String(port) } })).code
  expect(await check(new URL(server.url).port)).toBe(0)
  expect(await check(await freePort())).toBe(1)
})
