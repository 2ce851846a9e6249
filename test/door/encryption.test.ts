import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { isOnServer } from '../support/test-store.ts'
import { Home } from './support/home.ts'

const home = new Home()
const keyFile = join(home.path, 'keys', 'root.key')
/** Nothing is set for it; a server, where no file is made unless it is named, is told its name. */
const usual = { VERBATIM_EMBEDDER: 'none' }
const settings = isOnServer ? { ...usual, VERBATIM_ROOT_KEY_FILE: keyFile } : usual

beforeAll(async () => {
  await home.makeDatabase()
  home.settings = settings
  const tools = await home.tools()
  await tools.save({ session_id: 'notes', content: 'a word about marzipan', sender: 'Ann' })
})
afterAll(() => home.dispose())

/** Runs a command with another root key than the one that the store was made with. */
async function withKey(key: Record<string, string>, args: readonly string[]) {
  home.settings = { ...usual, ...key }
  try {
    return await home.cli(args)
  } finally {
    home.settings = settings
  }
}

describe('the root key', () => {
  it('is made at the first save for its owner alone, which is said once, and doctor says it again', async () => {
    expect(process.platform === 'win32' ? 0o600 : statSync(keyFile).mode & 0o777).toBe(0o600)
    expect(
      home.stderr.match(/Made the root key of this store in the file [^:]*: keep a copy of it elsewhere/g),
    ).toEqual([expect.stringContaining(keyFile)])
    const { stdout } = await home.cli(['doctor'])
    expect(stdout).toContain(
      `encryption: on, with the root key of the file "${keyFile}"; 1 session is encrypted and 0 are not`,
    )
    expect(stdout).not.toContain(readFileSync(keyFile, 'utf8').trim())
  })

  it('opens the store from wherever it is given, and is shown nowhere', async () => {
    const key = readFileSync(keyFile, 'utf8').trim()
    const elsewhere = join(home.directory('elsewhere'), 'my.key')
    writeFileSync(elsewhere, key)
    const sources = [
      { VERBATIM_ROOT_KEY: key },
      { VERBATIM_ROOT_KEY_FILE: elsewhere },
      { VERBATIM_ROOT_KEY_COMMAND: `cat "${elsewhere}"` },
    ]
    for (const source of sources) {
      const { code, stdout } = await withKey(source, ['search', 'marzipan'])
      expect([code, stdout.includes('a word about marzipan')]).toEqual([0, true])
      expect((await withKey(source, ['doctor'])).stdout).not.toContain(key)
    }
  })

  it('is refused at the start where it is another one, in plain words', async () => {
    const { code, stderr } = await withKey({ VERBATIM_ROOT_KEY: randomBytes(32).toString('hex') }, ['sessions'])
    expect(code).toBe(3)
    expect(stderr).toMatch(
      /encrypted under the root key [0-9a-f]{16}, and the one of VERBATIM_ROOT_KEY is [0-9a-f]{16}/,
    )
    expect(stderr).toContain('Put the root key back from your copy of it')
    expect(stderr).not.toContain('marzipan')
  })

  it('is not made anew where it is missing: the store says so, to a tool as well', async () => {
    renameSync(keyFile, `${keyFile}.away`)
    try {
      const { code, stderr } = await home.cli(['show', 'notes'])
      expect(code).toBe(3)
      expect(stderr).toContain(`its root key is missing: the file "${keyFile}" is not there`)
      expect((await home.cli(['doctor'])).stdout).toContain('its root key is missing')
      const tools = await home.tools()
      expect(await tools.refusal('get_session', { session_id: 'notes' })).toContain('its root key is missing')
      expect(existsSync(keyFile)).toBe(false)
    } finally {
      renameSync(`${keyFile}.away`, keyFile)
    }
    expect((await home.cli(['show', 'notes'])).stdout).toContain('a word about marzipan')
  })

  it('is refused where it is named twice or is no key', async () => {
    const twice = await withKey({ VERBATIM_ROOT_KEY: 'a', VERBATIM_ROOT_KEY_FILE: '/b' }, ['sessions'])
    expect([twice.code, twice.stderr]).toEqual([2, expect.stringContaining('the root key is named twice')])
    const none = await withKey({ VERBATIM_ROOT_KEY: 'password' }, ['sessions'])
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('must be 32 bytes in base64 or hexadecimal')])
  })
})
