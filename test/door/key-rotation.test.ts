import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { newId } from '../../src/model/ids.ts'
import { Vault } from '../../src/store/keys/vault.ts'
import { isOnServer } from '../support/test-store.ts'
import { Home } from './support/home.ts'
import type { Tools } from './support/tools.ts'

const home = new Home()
const keyFile = join(home.path, 'keys', 'root.key')
const next = join(home.userHome, 'next.key')
/** On a server root keys have to be named. */
const on = { VERBATIM_EMBEDDER: 'none', ...(isOnServer ? { VERBATIM_ROOT_KEY_FILE: keyFile } : {}) }
const rotating = isOnServer ? { ...on, VERBATIM_NEXT_ROOT_KEY_FILE: next } : on
const word = 'a word about marzipan'
/** How often a command is killed, each time a little later. */
const kills = Number(process.env['FAULT_KILLS'] ?? 2)
/** Commands that begin anew take a core for themselves, and leave none to what they are to meet. */
const betweenMs = 300

beforeAll(async () => {
  await home.makeDatabase()
  writeFileSync(next, randomBytes(32).toString('base64'))
  home.settings = rotating
  const tools = await home.tools()
  await tools.save({ session_id: 'notes', content: word, sender: 'Ann' })
})
afterAll(() => home.dispose())

/** Reads through a server that stays and through commands that begin anew, until it is told to stop. */
function readMeanwhile(tools: Tools) {
  let isOver = false
  const failures: string[] = []
  const read = async (look: () => Promise<string>) => {
    for (let times = 0; ; times++) {
      if (isOver && times > 0) return
      const found = await look()
      if (!found.includes(word)) failures.push(found)
      await sleep(betweenMs)
    }
  }
  const reading = Promise.all([
    read(async () => JSON.stringify(await tools.session('notes'))),
    read(async () => {
      const { stdout, stderr } = await home.cli(['show', 'notes'])
      return `${stdout}${stderr}`
    }),
  ])
  return async () => {
    isOver = true
    await reading
    return failures
  }
}

describe('verbatim keys rotate-root', () => {
  it('puts the store under a new root key while it is read; the old one is refused after that', async () => {
    const oldKey = join(home.userHome, 'old.key')
    copyFileSync(keyFile, oldKey)
    const stop = readMeanwhile(await home.tools())
    const { code, stdout, stderr } = await home.cli(['keys', 'rotate-root'])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(
      /^the store is under the root key [0-9a-f]{16}, of the file ".*"; [0-9a-f]{16} opens it no more/,
    )
    expect(await stop()).toEqual([])
    expect(stdout).toContain(isOnServer ? 'Now name it as VERBATIM_ROOT_KEY' : 'Keep a copy of the file')
    const isReplaced = readFileSync(keyFile, 'utf8') !== readFileSync(oldKey, 'utf8')
    expect([isReplaced, existsSync(`${keyFile}.next`)]).toEqual([!isOnServer, false])
    if (isOnServer) {
      copyFileSync(next, keyFile)
      home.settings = on
    }
    expect((await home.cli(['show', 'notes'])).stdout).toContain(word)
    const refused = await home.cli(['show', 'notes'], { env: { VERBATIM_ROOT_KEY_FILE: oldKey } })
    expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining('encrypted under the root key')])
  })

  it('says what is missing where it cannot make the new one itself', async () => {
    const key = readFileSync(keyFile, 'utf8').trim()
    const env = { VERBATIM_ROOT_KEY: key, VERBATIM_ROOT_KEY_FILE: '', VERBATIM_NEXT_ROOT_KEY: '' }
    const { code, stderr } = await home.cli(['keys', 'rotate-root'], { env })
    expect([code, stderr]).toEqual([2, expect.stringContaining('Set VERBATIM_NEXT_ROOT_KEY,')])
  })
})

describe('verbatim keys rotate-session', () => {
  it('is killed and goes on, and nothing that is read meanwhile fails', { timeout: 240_000 }, async () => {
    const tools = await home.tools()
    const stop = readMeanwhile(tools)
    for (let kill = 0; kill < kills; kill++) {
      const command = home.start(['keys', 'rotate-session', 'notes'])
      const ended = once(command, 'close')
      await sleep(700 + 700 * kill)
      command.kill('SIGKILL')
      await ended
    }
    const { code, stdout, stderr } = await home.cli(['keys', 'rotate-session', 'notes'])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^sealed \d+ messages? of [0-9a-f-]{36} by version \d+ of its key\n$/)
    // By a process that knows the session under another key.
    await tools.save({ session_id: 'notes', content: 'after it', sender: 'Ann' })
    expect(await stop()).toEqual([])
    const verified = await home.cli(['verify'])
    expect([verified.code, verified.stderr]).toEqual([0, ''])
    expect((await home.cli(['search', 'marzipan'])).stdout).toContain(word)
  })

  it('says what it needs where there is no such session, or none that is encrypted', async () => {
    const none = await home.cli(['keys', 'rotate-session', 'nowhere'])
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('No session "nowhere"')])
    const plain = { env: { VERBATIM_ENCRYPTION: 'off' } }
    const file = join(home.userHome, 'session.jsonl')
    writeFileSync(
      file,
      `${JSON.stringify({ type: 'user', uuid: 'u1', sessionId: 'plain', timestamp: '2026-01-01T00:00:00Z', message: { role: 'user', content: 'hello' } })}\n`,
    )
    expect((await home.cli(['import', '--format', 'claude-code', file], plain)).code).toBe(0)
    const refused = await home.cli(['keys', 'rotate-session', 'plain'])
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('as it is not encrypted')])
  })
})

describe('verbatim keys rotate-tenant', () => {
  it('is killed and goes on, and nothing that is read meanwhile fails', { timeout: 180_000 }, async () => {
    const keys = 5_000
    const database = home.database()
    const rootKey = { kind: 'file', path: keyFile } as const
    const vault = new Vault((work) => work(database.sql), { encrypts: true, rootKey })
    try {
      for (let n = 0; n < keys; n += 100)
        await Promise.all(Array.from({ length: 100 }, () => vault.sealOfNew(1, newId())))
      const stop = readMeanwhile(await home.tools())
      for (let kill = 0; kill < kills; kill++) {
        const command = home.start(['keys', 'rotate-tenant'])
        const ended = once(command, 'close')
        await sleep(600 + 400 * kill)
        command.kill('SIGKILL')
        await ended
      }
      const { code, stdout } = await home.cli(['keys', 'rotate-tenant', '--json'])
      expect([code, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ broken: [] })])
      expect(await stop()).toEqual([])
      const left = await database.sql<{ purpose: string; by: number; count: number }[]>`
        select purpose, count(distinct wrapped_by)::int as by, count(*)::int as count from encryption_keys
        where destroyed_at is null and purpose in ('session', 'tenant') group by purpose order by purpose`
      expect(left).toEqual([
        { purpose: 'session', by: 1, count: keys + 1 },
        { purpose: 'tenant', by: 1, count: 1 },
      ])
    } finally {
      await database.close()
    }
  })

  it('is refused in a store of which nothing is encrypted', async () => {
    const other = new Home()
    try {
      await other.makeDatabase()
      for (const command of ['rotate-tenant', 'rotate-root']) {
        const { code, stderr } = await other.cli(['keys', command])
        expect([code, stderr]).toEqual([2, expect.stringContaining('encrypted')])
      }
    } finally {
      await other.dispose()
    }
  })
})
