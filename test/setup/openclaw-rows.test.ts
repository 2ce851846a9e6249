import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, it, onTestFinished } from 'vitest'

import { Spool } from '../../integrations/openclaw/src/spool.ts'
import { checkOpenclaw } from '../../src/cli/checks/check-openclaw.ts'

it('doctor names the rows that the OpenClaw plugin has put aside, and how they are imported', async () => {
  const home = await mkdtemp(join(tmpdir(), 'verbatim-openclaw-'))
  onTestFinished(() => rm(home, { recursive: true }))
  const state = join(home, '.openclaw')
  await mkdir(state)
  const entry = { hooks: { allowConversationAccess: true } }
  await writeFile(join(state, 'openclaw.json'), JSON.stringify({ plugins: { entries: { verbatim: entry } } }))
  const place = { home, platform: 'linux', env: {} } as const
  const allowed = { name: 'OpenClaw plugin', state: 'ok', message: 'may see conversations' }
  expect(await checkOpenclaw(place)).toEqual([allowed])

  const spool = new Spool(join(state, 'verbatim', 'spool'), { bytesMax: 1_000 })
  await spool.write({ agentId: 'main', lines: [Buffer.from('{}')] })
  expect(await checkOpenclaw(place)).toEqual([allowed])
  const [segment] = await spool.list()
  const aside = await spool.reject(segment?.path ?? '')
  expect(await checkOpenclaw(place)).toEqual([
    allowed,
    {
      name: 'OpenClaw rows',
      state: 'problem',
      message: expect.stringContaining(aside),
      remedy: expect.stringMatching(/import --rows-only --format openclaw ".*\/main\/sessions"\/\*\.rejected/u),
    },
  ])
})
