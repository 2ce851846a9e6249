import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

import { expect, test } from 'vitest'

import { useHome } from '../door/support/home.ts'
import { blocksOf, follow } from '../support/guide.ts'
import { freePort } from '../support/postgres.ts'

const home = useHome()

test('docs/scaling.md: one replica finds what another has saved and a worker has indexed', async () => {
  const programs = join(home.userHome, 'programs')
  mkdirSync(programs)
  writeFileSync(join(programs, 'verbatim'), `#!/bin/sh\nexec "${process.execPath}" "${home.program}" "$@"\n`)
  chmodSync(join(programs, 'verbatim'), 0o755)
  const ports = { PORT_A: await freePort(), PORT_B: await freePort(), PORT_W: await freePort() }
  const env = {
    ...home.env,
    ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)])),
    PATH: [programs, process.env['PATH']].join(delimiter),
  }
  const said = await follow(blocksOf('scaling.md', 'One PostgreSQL, several processes')[0], { cwd: home.userHome, env })
  const [saved, found] = said.split('\n').filter((line) => /^\{"(result|jsonrpc)"/.test(line))
  expect(saved).toContain('\\"seq\\": 1')
  expect(found).toContain('berth 14')
})
