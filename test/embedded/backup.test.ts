import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

import { expect, test } from 'vitest'

import { useHome } from '../door/support/home.ts'
import { blocksOf, follow } from '../support/guide.ts'

const home = useHome()

test('docs/backup.md: a copy of the home, made when its daemon has left, is the same store', async () => {
  const tools = await home.tools()
  await tools.save({ session_id: 'kept', content: 'Word for word.', sender: 'Ada' })
  await tools.save({ session_id: 'kept', content: 'Large. '.repeat(200_000), sender: 'Ada' })
  const before = await home.cli(['export', 'kept'])
  expect(before.code).toBe(0)

  const backup = home.directory('backup')
  const restored = join(home.userHome, 'restored')
  const programs = join(home.userHome, 'programs')
  mkdirSync(programs)
  writeFileSync(join(programs, 'verbatim'), `#!/bin/sh\nexec "${process.execPath}" "${home.program}" "$@"\n`)
  chmodSync(join(programs, 'verbatim'), 0o755)
  const env = {
    ...home.env,
    PATH: [programs, process.env['PATH']].join(delimiter),
    BACKUP: backup,
    RESTORED_HOME: restored,
  }
  const [copy, restore] = blocksOf('backup.md', 'The embedded store')
  await follow(copy, { cwd: backup, env })
  await tools.save({ session_id: 'kept', content: 'After the backup.', sender: 'Ada' })
  expect(await follow(restore, { cwd: backup, env })).toContain('all intact')
  expect(await home.cli(['export', 'kept'], { env: { VERBATIM_HOME: restored } })).toEqual(before)
  await endDaemonOf(restored)
})

async function endDaemonOf(path: string): Promise<void> {
  const [copy = ''] = blocksOf('backup.md', 'The embedded store')
  const end = copy.slice(0, copy.indexOf('tar '))
  await follow(end, { cwd: path, env: { VERBATIM_HOME: path } })
}
