import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { beforeAll, describe, expect, test } from 'vitest'

import { useHome } from './support/home.ts'

const home = useHome()

beforeAll(async () => {
  home.settings = { ...home.settings, VERBATIM_ENCRYPTION: 'on' }
  const tools = await home.tools()
  await tools.save({ session_id: 'notes', content: 'a word about marzipan', sender: 'Ann' })
  await tools.save({ session_id: 'whole', content: 'sound', sender: 'Ann' })
  await tools.save({ session_id: 'half', content: 'kept', sender: 'Ann' })
  await tools.save({ session_id: 'half', content: 'hit', sender: 'Ann' })
  const store = home.database()
  await store.sql`
    update messages set payload = '\\x01' where seq = 2
      and session_id = (select id from sessions where external_id = 'half')`
  await store.sql`
    delete from encryption_keys where session_id = (select id from sessions where external_id = 'notes')`
  await store.close()
  // What opened the keys before remembers them.
  await home.endDaemon()
})

describe('export', () => {
  test.each(['json', 'jsonl', 'markdown', 'html', 'vcon', 'original'])(
    'as %s of a session whose key is gone fails with what to do, and writes nothing',
    async (format) => {
      const refused = {
        code: 3,
        stderr: expect.stringMatching(/its key is missing or was altered\nRun "verbatim restore --keys"/u),
        stdout: '',
      }
      expect(await home.cli(['export', 'notes', '--format', format])).toMatchObject(refused)
      const output = join(home.directory(`out-${format}`), 'notes')
      expect(await home.cli(['export', 'notes', '--format', format, '--output', output])).toMatchObject(refused)
      expect(existsSync(output)).toBe(false)
    },
  )

  test('of several sessions writes none where the key of the last is gone', async () => {
    expect(await home.cli(['export', 'half', 'notes', '--format', 'jsonl'])).toMatchObject({ code: 3, stdout: '' })
  })

  test('gives what is whole beside a damaged message, says so and ends with 1', async () => {
    const { code, stdout, stderr } = await home.cli(['export', 'half', '--format', 'jsonl'])
    expect(code).toBe(1)
    expect(stdout).toContain('"content":"kept"')
    expect(stdout).toContain('its encrypted bytes were altered or moved')
    expect(stderr).toContain('1 message of session "half" is damaged: run "verbatim verify"')
  })
})

describe('archive', () => {
  test('names the session whose key is gone and the one that is damaged, says what to do, and goes on with the others', async () => {
    const { code, stdout, stderr } = await home.cli(['archive', '--now'])
    expect(stderr).toBe('')
    expect(stdout).toMatch(
      /^PROBLEM [0-9a-f-]{36}: Cannot archive message "[0-9a-f-]{36}" as its encrypted bytes were/m,
    )
    expect(stdout).toMatch(/^archived: 1 session/m)
    expect(stdout).toMatch(
      /^PROBLEM [0-9a-f-]{36}: Cannot archive session "[0-9a-f-]{36}" as its key is missing or was altered\. Run "verbatim restore --keys"/m,
    )
    expect(code).toBe(1)
  })
})
