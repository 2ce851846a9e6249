import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { beforeAll, describe, expect, test } from 'vitest'

import { claudeRows } from '../support/claude-rows.ts'
import { outputOf } from '../support/cli-output.ts'
import { Home } from '../support/home.ts'
import { usePair } from '../support/synced-pair.ts'
import { Watcher } from '../support/watcher.ts'

const pair = usePair()
const { server, laptop } = pair
const projects = join(laptop.userHome, '.claude', 'projects', '-work')

beforeAll(() => {
  mkdirSync(projects, { recursive: true })
})

async function original(session: string): Promise<string> {
  return await outputOf(laptop, ['export', session, '--format', 'original'])
}

/** A client of the server goes on with a session, before the laptop does. */
async function sayAtServer(session: string): Promise<void> {
  const there = await pair.http.tools()
  const { sessions } = await there.list({ limit: 100 })
  const id = sessions.find(({ external_id: name }) => name === session)?.session_id
  await there.save({ session_id: id, role: 'user', sender: 'ann', content: 'Said at the server.' })
}

describe('a transcript whose session went on elsewhere', () => {
  const session = '00000000-0000-4000-8000-000000000001'
  const path = join(projects, `${session}.jsonl`)

  test('is given back byte for byte when its messages have other numbers, and grows on', async () => {
    writeFileSync(path, claudeRows(session, 1, 10))
    await outputOf(laptop, ['import', path])
    await pair.sync()
    await sayAtServer(session)
    appendFileSync(path, claudeRows(session, 11, 12))
    await outputOf(laptop, ['import', path])
    expect((await laptop.cli(['archive', '--now'])).code).toBe(0)
    expect((await pair.sync()).received).toMatchObject({ messages: 1, moved: 2 })
    expect(await original(session)).toBe(readFileSync(path, 'utf8'))
    appendFileSync(path, claudeRows(session, 13, 14))
    expect(await outputOf(laptop, ['import', path])).toMatch(/claude-code +1 +0 +2 +12 /)
    expect(await original(session)).toBe(readFileSync(path, 'utf8'))
    expect(await outputOf(laptop, ['verify'])).toContain('all intact')
  })

  test('is given back from the archive too', async () => {
    // What the archive had of the former numbers is removed by whoever serves the store.
    await laptop.toolsOfTest()
    await expect.poll(async () => (await laptop.cli(['archive', '--now'])).code, { timeout: 60_000 }).toBe(0)
    const restored = new Home()
    await restored.makeDatabase()
    restored.settings = laptop.settings
    try {
      expect((await restored.cli(['restore'])).stdout).toContain('all intact')
      expect(await outputOf(restored, ['export', session, '--format', 'original'])).toBe(readFileSync(path, 'utf8'))
    } finally {
      await restored.dispose()
    }
  })

  test('is not written where its bytes are not those that were imported', async () => {
    const store = laptop.database()
    try {
      await store.sql`update import_files set sha256 = ${Buffer.alloc(32, 1)} where document <> '*'`
    } finally {
      await store.close()
    }
    const to = join(laptop.userHome, 'written.jsonl')
    const { code, stderr } = await laptop.cli(['export', session, '--format', 'original', '--output', to])
    expect(code).toBe(3)
    expect(stderr).toContain('differ from those imported')
    expect(stderr).toContain('Run the export again')
    expect(existsSync(to)).toBe(false)
    await outputOf(laptop, ['import', path, '--again'])
    expect(await original(session)).toBe(readFileSync(path, 'utf8'))
  })
})

test('a transcript that is followed meanwhile is given back byte for byte', async () => {
  const session = '00000000-0000-4000-8000-000000000002'
  const path = join(projects, `${session}.jsonl`)
  const watcher = new Watcher(laptop, '--sources', 'claude-code')
  try {
    await watcher.ready()
    writeFileSync(path, claudeRows(session, 1, 4))
    await watcher.until(() => watcher.added(path) === 4)
    await pair.sync()
    await sayAtServer(session)
    appendFileSync(path, claudeRows(session, 5, 6))
    await watcher.until(() => watcher.added(path) === 6)
    expect((await pair.sync()).received).toMatchObject({ messages: 1, moved: 2 })
    appendFileSync(path, claudeRows(session, 7, 7))
    await watcher.until(() => watcher.added(path) === 7)
  } finally {
    await watcher.stop()
  }
  expect(await original(session)).toBe(readFileSync(path, 'utf8'))
})

describe('a transcript that is at two machines', () => {
  const copyOf = (home: Home, session: string) => {
    const directory = join(home.userHome, '.claude', 'projects', '-copied')
    mkdirSync(directory, { recursive: true })
    const path = join(directory, `${session}.jsonl`)
    const note = `${JSON.stringify({ type: 'summary', summary: 'Of what was said', leafUuid: `${session} 3` })}\n`
    writeFileSync(path, `${note}${claudeRows(session, 1, 3)}${note}`)
    return path
  }

  test('is known where it came by a sync before it is imported', async () => {
    const session = '00000000-0000-4000-8000-000000000003'
    await outputOf(laptop, ['import', copyOf(laptop, session)])
    expect((await pair.sync()).sent).toMatchObject({ sessions: 1, namesakes: 0 })
    const path = copyOf(server, session)
    // Notes that have no ids of their own too, of which two say the same.
    expect(await outputOf(server, ['import', path])).toMatch(/claude-code +1 +0 +0 +5 /)
    expect(await outputOf(server, ['export', session, '--format', 'original'])).toBe(readFileSync(path, 'utf8'))
    await outputOf(laptop, ['import', copyOf(laptop, session), '--again'])
    expect(await pair.sync()).toMatchObject({ sent: { messages: 0 }, received: { messages: 0 } })
  })

  test('is there twice where it was imported at both before, which is said', async () => {
    const session = '00000000-0000-4000-8000-000000000004'
    for (const home of [server, laptop]) await outputOf(home, ['import', copyOf(home, session)])
    const { stdout } = await laptop.cli(['sync', pair.http.url], { env: { VERBATIM_SYNC_TOKEN: pair.token } })
    expect(stdout).toContain('NOTE 1 session came under a name that another one has')
    expect((await pair.sync()).received).toMatchObject({ sessions: 0, namesakes: 0 })
  })
})
