import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'

import { expect, inject, onTestFinished, test } from 'vitest'

import { archiveNow, directorySettings, openHome } from '../door/support/archived.ts'
import { blocksOf, follow } from '../support/guide.ts'
import { findPostgres, withPath } from '../support/postgres.ts'
import { makeDatabase } from '../support/test-store.ts'

const found = findPostgres(process.env)
const programs = found.kind === 'programs' ? found.directory : ''
if (programs === '') console.warn('Skipped: a dump without keys, as the server of the tests is one that runs already')

function run(program: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(join(programs, program), args, { encoding: 'utf8' })
  expect({ program, status, stderr }).toEqual({ program, status: 0, stderr: '' })
}

function asAdministrator(databaseUrl: string): string {
  return withPath(inject('testServer').adminUrl, { database: new URL(databaseUrl).pathname.slice(1) })
}

test.skipIf(programs === '')(
  'a dump that holds no keys is noise where something was erased since, and all else of it is read',
  { timeout: 300_000 },
  async () => {
    const settings = {
      ...(await directorySettings()),
      VERBATIM_ENCRYPTION: 'on',
      VERBATIM_ROOT_KEY: randomBytes(32).toString('hex'),
    }
    const home = await openHome(settings)
    const tools = await home.tools()
    const { session_id: id } = await tools.save({ content: 'a zarquon of mine', sender: 'Ada', session_id: 'doomed' })
    await tools.update('doomed', { title: 'zarquon', summary: 'zarquon' })
    await tools.save({ content: 'what stays', sender: 'Ada', session_id: 'stays' })
    await archiveNow(home)
    const dump = join(home.directory('backup'), 'verbatim.dump')
    const [command = ''] = blocksOf('erasure.md', 'Backups', 'sh')
    await follow(command, {
      cwd: home.userHome,
      env: {
        PATH: `${programs}:${process.env['PATH'] ?? ''}`,
        BACKUP: home.directory('backup'),
        ADMIN_URL: asAdministrator(home.env['DATABASE_URL'] ?? ''),
      },
    })
    await home.cli(['erase', '--session', 'doomed', '--yes'])

    const database = await makeDatabase({ empty: true })
    onTestFinished(database.drop)
    run('pg_restore', '--exit-on-error', `--dbname=${asAdministrator(database.url)}`, dump)
    const restored = await openHome({ ...settings, DATABASE_URL: database.url })
    const keys = await restored.cli(['restore', '--keys'])
    expect(keys.stdout).toContain(`PROBLEM ${id}: its key is neither in the database nor in the archive`)
    expect(keys.code).toBe(1)
    expect((await restored.cli(['export', 'stays', '--format', 'markdown'])).stdout).toContain('what stays')
    // Its rows are there, and nothing opens them.
    const listed = await restored.cli(['sessions', '--json'])
    expect(listed.stdout).toContain(id)
    for (const args of [
      ['sessions', '--json'],
      ['export', id, '--format', 'json'],
      ['search', 'zarquon'],
    ])
      expect(JSON.stringify(await restored.cli(args))).not.toContain('a zarquon')
    expect((await restored.cli(['verify'])).stdout).toMatch(/PROBLEM .*key/)

    expect((await restored.cli(['erase', '--again'])).stdout).toMatch(/^erased/)
    expect(await restored.cli(['restore', '--keys'])).toMatchObject({
      code: 0,
      stdout: 'restored 0 keys; 0 sessions have none\n',
    })
    expect((await restored.cli(['verify'])).stdout).toMatch(/all intact/)
    expect((await restored.cli(['export', id])).stderr).toMatch(/was erased on/)
  },
)
