import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { beforeAll, describe, expect, test } from 'vitest'

import { useHome } from './support/home.ts'
import { HttpHome } from './support/http-home.ts'
import type { Tools } from './support/tools.ts'

const email = 'anna.kowalska@posteo.de'

const home = useHome()
let tools: Tools
let keyFile: string

/** The token that stands for an e-mail address in a text. */
function tokenIn(text: string): string {
  const [token] = /\[email_[\da-f]{10}\]/u.exec(text) ?? []
  if (token === undefined) throw new Error('There is no token')
  return token
}

async function pseudonymised(session: string): Promise<string> {
  return JSON.stringify((await tools.call('get_session', { session_id: session, view: 'pseudonymised' })).structured)
}

const reveal = (token: string, ...args: readonly string[]) => home.cli(['privacy', 'reveal', token, ...args])

beforeAll(async () => {
  keyFile = join(home.directory('shared-secrets'), 'pseudonym.key')
  home.settings = { ...home.settings, VERBATIM_ENCRYPTION: 'on', VERBATIM_PSEUDONYM_KEY_FILE: keyFile }
  tools = await home.tools()
  for (const session of ['claim', 'appeal', 'erased'])
    await tools.save({ session_id: session, content: `Write to ${email}, please: ${email}`, sender: 'user' })
})

describe('verbatim privacy reveal', () => {
  test('gives back what a token stands for', async () => {
    const token = tokenIn(await pseudonymised('claim'))
    expect(await reveal(token)).toMatchObject({ code: 0, stdout: `${email}\n` })
    const { session_id: id } = await tools.session('claim')
    const { stdout } = await reveal(token.slice(1, -1), '--json')
    expect(JSON.parse(stdout)).toEqual({ token, values: [email], session_ids: [id] })
  })

  test('knows a token of the store by all sessions in which it was given', async () => {
    const view = ['--view', 'pseudonymised', '--scope', 'store']
    const { stdout } = await home.cli(['export', 'claim', 'appeal', ...view])
    const revealed = await reveal(tokenIn(stdout), '--json')
    expect(JSON.parse(revealed.stdout)).toMatchObject({
      values: [email],
      session_ids: [expect.any(String), expect.any(String)],
    })
    expect((await reveal(tokenIn(await pseudonymised('appeal')))).stdout).toBe(`${email}\n`)
  })

  test('leaves a row in the audit log that does not hold what was told', async () => {
    const database = home.database()
    const rows = await database.sql<{ row: string }[]>`
      select row_to_json(a)::text as row from audit_log a where action = 'pseudonym.reveal'`
    await database.close()
    expect(rows.length).toBeGreaterThan(0)
    for (const { row } of rows) {
      expect(row).toMatch(/"object_id":"email_[\da-f]{10}"/u)
      expect(row).not.toContain(email)
    }
  })

  test('opens nothing with another key, and says which one it needs', async () => {
    const token = tokenIn(await pseudonymised('claim'))
    const other = join(home.directory('other-secrets'), 'pseudonym.key')
    writeFileSync(other, Buffer.alloc(32, 7))
    const refused = await home.cli(['privacy', 'reveal', token], { env: { VERBATIM_PSEUDONYM_KEY_FILE: other } })
    expect(refused).toMatchObject({
      code: 3,
      stdout: '',
      stderr: expect.stringContaining('VERBATIM_PSEUDONYM_KEY_FILE'),
    })
  })

  test.each(['[email_0000000000]', 'email'])('says that nothing is kept of %s', async (token) => {
    const refused = await reveal(token)
    expect(refused.code).toBeGreaterThan(0)
    expect(refused.stderr).toMatch(/Nothing is kept|no token/u)
  })
})

test('the vault holds nothing that can be read, and its key is where the setting says', async () => {
  await pseudonymised('claim')
  const database = home.database()
  const rows = await database.sql<{ token: string; sealed: Uint8Array; key_version: number }[]>`
    select token, sealed, key_version from pseudonyms`
  await database.close()
  expect(rows.length).toBeGreaterThan(0)
  for (const { token, sealed, key_version: version } of rows) {
    expect(token).not.toContain('kowalska')
    expect(Buffer.from(sealed).toString('latin1')).not.toContain('kowalska')
    expect(version).toBeGreaterThan(0)
  }
  expect(readFileSync(keyFile)).toHaveLength(32)
  expect(existsSync(join(home.path, 'keys', 'pseudonym.key'))).toBe(false)
})

test('who erases a session erases what its tokens stood for', async () => {
  const token = tokenIn(await pseudonymised('erased'))
  expect((await reveal(token)).stdout).toBe(`${email}\n`)
  const preview = await home.cli(['erase', '--session', 'erased', '--json'])
  const confirm = /"confirm": "([^"]+)"/u.exec(preview.stdout)?.[1] ?? ''
  const erased = await home.cli(['erase', '--session', 'erased', '--confirm', confirm, '--json'])
  expect(JSON.parse(erased.stdout)).toMatchObject({ status: 'erased', erased: { pseudonyms: 1 } })
  expect((await reveal(token)).stderr).toContain('Nothing is kept')
})

test('a key that was given to an encrypted session survives a change of the session’s key', async () => {
  const token = tokenIn(await pseudonymised('appeal'))
  expect((await home.cli(['keys', 'rotate-session', 'appeal'])).code).toBe(0)
  expect((await reveal(token)).stdout).toBe(`${email}\n`)
})

test('over HTTP only an administrator is told', async () => {
  const server = await HttpHome.start(home)
  const uri = `memory://pseudonyms/${encodeURIComponent(tokenIn(await pseudonymised('claim')))}`
  const read = async (...args: readonly string[]) => {
    const reader = await server.tools(await server.newToken(...args))
    return JSON.stringify(await reader.client.readResource({ uri }))
  }
  await expect(read('--name', 'reader', '--scopes', 'read,write')).rejects.toThrow(/memory:admin/u)
  await expect(read('--name', 'analyst', '--view', 'redacted')).rejects.toThrow(/memory:admin/u)
  expect(await read('--name', 'admin', '--scopes', 'read,admin')).toContain(email)
})
