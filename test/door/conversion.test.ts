import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { filesWith } from '../support/files-with.ts'
import { isOnServer } from '../support/test-store.ts'
import { bucketSettings, s3Endpoint } from './support/bucket.ts'
import { encryptionOf } from './support/doctor.ts'
import { Home } from './support/home.ts'

const word = 'marzipan'
const keyed = { VERBATIM_EMBEDDER: 'none', VERBATIM_ROOT_KEY: 'd1'.repeat(32) }
const home = new Home()
const archive = home.directory('archive')

beforeAll(async () => {
  await home.makeDatabase()
  const settings = { VERBATIM_EMBEDDER: 'none', VERBATIM_ARCHIVE: `file:${archive}` }
  home.settings = { ...settings, VERBATIM_ENCRYPTION: 'off' }
  const tools = await home.tools()
  for (const session of ['notes', 'more', 'large'])
    await tools.save({
      session_id: session,
      content: `a word about ${word} ${session === 'large' ? 'z'.repeat(2 * 1024 * 1024) : ''}`,
      sender: 'Ann',
    })
  await home.cli(['archive', '--now'])
  // A root key is named for no server either, until a test does it.
  home.settings = isOnServer ? { ...settings, VERBATIM_ROOT_KEY: '' } : settings
  await home.endDaemon()
})
afterAll(() => home.dispose())

async function exported(): Promise<string> {
  const { stdout, stderr } = await home.cli(['export', 'notes', 'more', 'large', '--format', 'json'])
  expect(stderr).toBe('')
  return stdout
}

describe('verbatim keys encrypt', () => {
  it.runIf(isOnServer)('asks for a root key that all machines have', async () => {
    const { code, stderr } = await home.cli(['keys', 'encrypt'])
    expect([code, stderr]).toEqual([2, expect.stringContaining('no root key is named')])
  })

  it('is killed and goes on, while the store is saved to and searched', { timeout: 180_000 }, async () => {
    expect(await encryptionOf(home)).toMatchObject({
      message: expect.stringContaining('off'),
      remedy: expect.stringContaining('verbatim keys encrypt'),
    })
    const before = await exported()
    if (isOnServer) home.settings = { ...home.settings, ...keyed }
    const tools = await home.tools()
    const over = new AbortController()
    const meanwhile = (async () => {
      for (let n = 0; !over.signal.aborted; n++) {
        await tools.save({ session_id: `meanwhile ${n % 3}`, content: `meanwhile ${n}`, sender: 'Ann' })
        const { results } = await tools.search({ query: word })
        expect(results.length).toBeGreaterThan(0)
        await sleep(100)
      }
    })()
    const command = home.start(['keys', 'encrypt'])
    const ended = once(command, 'close')
    const database = home.database()
    const begun = () => database.sql`select from encryption_states where state = 'encrypting'`
    await expect.poll(begun, { timeout: 20_000, interval: 50 }).toHaveLength(1)
    await database.close()
    command.kill('SIGKILL')
    await ended
    expect(await encryptionOf(home)).toMatchObject({
      state: 'note',
      message: expect.stringMatching(/being encrypted: .*, 0 imported documents and 0 reasons are left;/),
    })
    const { code, stdout, stderr } = await home.cli(['keys', 'encrypt'])
    over.abort()
    await meanwhile
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(
      /^encrypted \d+ messages? of \d+ sessions?, and 0 imported documents; removed \d+ large payloads?/,
    )
    expect(stdout).toContain('Keep a copy of')
    expect(await encryptionOf(home)).toMatchObject({ state: 'ok', message: expect.stringContaining(' and 0 are not') })
    expect(existsSync(join(home.path, 'keys', 'root.key'))).toBe(!isOnServer)
    expect(await exported()).toBe(before)
    await home.endDaemon()
    expect(filesWith(isOnServer ? [archive] : [home.path, archive], word)).toEqual([])
    expect((await home.cli(['search', word])).stdout).toContain('a word about')
    expect((await home.cli(['verify'])).code).toBe(0)
  })

  it('makes a setting that says otherwise be refused', async () => {
    const off = await home.cli(['status'], { env: { VERBATIM_ENCRYPTION: 'off' } })
    expect([off.code, off.stderr]).toEqual([
      2,
      expect.stringContaining('Cannot start with VERBATIM_ENCRYPTION=off as this store is encrypted'),
    ])
    const other = await home.cli(['status'], { env: { VERBATIM_ROOT_KEY: 'd2'.repeat(32) } })
    expect([other.code, other.stderr]).toEqual([3, expect.stringContaining('encrypted under the root key')])
  })
})

describe('verbatim keys decrypt', () => {
  it('stores all as it is, so that no key is needed', { timeout: 120_000 }, async () => {
    const before = await exported()
    const { code, stdout, stderr } = await home.cli(['keys', 'decrypt'])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain('No key is needed any more')
    expect(await exported()).toBe(before)
    expect((await home.cli(['search', word])).stdout).toContain('a word about')
    const other = { env: { VERBATIM_ROOT_KEY: 'd2'.repeat(32) } }
    expect((await home.cli(['show', 'notes'], other)).stdout).toContain(word)
    const on = await home.cli(['status'], { env: { VERBATIM_ENCRYPTION: 'on' } })
    expect([on.code, on.stderr]).toEqual([2, expect.stringContaining('as this store is not encrypted')])
    expect((await home.cli(['verify'])).code).toBe(0)
  })
})

describe.skipIf(s3Endpoint === undefined)('a store with its archive in a bucket', () => {
  it('is encrypted and decrypted there too', { timeout: 120_000 }, async () => {
    const other = new Home()
    try {
      await other.makeDatabase()
      const settings = { ...keyed, ...(await bucketSettings()) }
      other.settings = { ...settings, VERBATIM_ENCRYPTION: 'off' }
      const tools = await other.tools()
      await tools.save({ session_id: 'large', content: `${word} ${'z'.repeat(2 * 1024 * 1024)}`, sender: 'Ann' })
      expect((await other.cli(['archive', '--now'])).code).toBe(0)
      other.settings = settings
      for (const command of ['encrypt', 'decrypt']) {
        const { code, stdout, stderr } = await other.cli(['keys', command, '--json'])
        expect([code, stderr]).toEqual([0, ''])
        expect(JSON.parse(stdout)).toMatchObject({
          sessions: 1,
          messages: 1,
          removed_payloads: 1,
          problems: [],
          kept_objects: [],
        })
        expect((await other.cli(['verify'])).code).toBe(0)
        expect((await other.cli(['show', 'large'])).stdout).toContain(word)
      }
    } finally {
      await other.dispose()
    }
  })
})
