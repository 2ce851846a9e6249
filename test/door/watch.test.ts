import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { sharedData } from '../support/shared-data.ts'
import { isOnServer } from '../support/test-store.ts'
import { claudeRow, claudeRows } from './support/claude-rows.ts'
import { useHome } from './support/home.ts'
import type { Tools } from './support/tools.ts'
import { Watcher } from './support/watcher.ts'

const home = useHome()
const projects = join(home.userHome, '.claude', 'projects')
let watcher: Watcher
let tools: Tools
let unnamed = 0

/** The name of a session and the path of its file, whose directory is there. */
function sessionFile(): { session: string; path: string } {
  const session = `00000000-0000-4000-8000-${String(++unnamed).padStart(12, '0')}`
  mkdirSync(join(projects, '-work'), { recursive: true })
  return { session, path: join(projects, '-work', `${session}.jsonl`) }
}

/** How many entries of a session are stored; undefined where there is no such session. */
async function countOf(session: string): Promise<number | undefined> {
  const { sessions } = await tools.list({ limit: 100 })
  return sessions.find(({ external_id: id }) => id === session)?.message_count
}

async function original(session: string, path: string): Promise<string> {
  const { stdout } = await home.cli(['export', session, '--format', 'original', '--source-file', path])
  return stdout
}

async function start(...args: readonly string[]): Promise<Watcher> {
  const started = new Watcher(home, '--sources', 'claude-code,codex', ...args)
  await started.ready()
  return started
}

beforeAll(async () => {
  watcher = await start()
  tools = await home.tools()
})

afterAll(async () => {
  await watcher.stop()
})

// What is about files, and not about what holds what is read of them, is on one store.
describe('import --watch', () => {
  test('follows a file of a directory that did not exist when it began, and waits for the end of a line', async () => {
    const { session, path } = sessionFile()
    const [first, second] = [claudeRow(session, 1), claudeRow(session, 2)]
    writeFileSync(path, first + second.slice(0, 40))
    await watcher.until(() => watcher.added(path) === 1)
    appendFileSync(path, second.slice(40, 60))
    appendFileSync(path, second.slice(60) + claudeRow(session, 3))
    await watcher.until(() => watcher.added(path) === 3)
    expect(watcher.known(path)).toBe(0)
    expect(await countOf(session)).toBe(3)
    expect(await original(session, path)).toBe(readFileSync(path, 'utf8'))
  })

  test.skipIf(isOnServer)(
    'takes a line as it is that was not ended for a minute, and what comes after it',
    async () => {
      const { session, path } = sessionFile()
      const whole = claudeRow(session, 2)
      writeFileSync(path, claudeRow(session, 1) + whole.slice(0, 40))
      await watcher.until(() => watcher.added(path) === 1)
      utimesSync(path, new Date(), new Date(Date.now() - 120_000))
      await watcher.until(() => watcher.added(path) === 2)
      appendFileSync(path, `${whole.slice(40)}${claudeRow(session, 3)}`)
      await watcher.until(() => watcher.added(path) === 4)
      // The piece stays beside the line that it was a piece of.
      expect(await countOf(session)).toBe(4)
      expect(await original(session, path)).toBe(readFileSync(path, 'utf8'))
    },
  )

  test.skipIf(isOnServer)(
    'reads what was written to a file just before it was renamed, and the file that took its place',
    async () => {
      const { session, path } = sessionFile()
      const next = sessionFile()
      writeFileSync(path, claudeRows(session, 1, 3))
      await watcher.until(() => watcher.added(path) === 3)
      appendFileSync(path, claudeRows(session, 4, 5))
      renameSync(path, `${path}.1`)
      writeFileSync(path, claudeRows(next.session, 1, 2))
      await watcher.until(() => watcher.added(path) === 7)
      expect([await countOf(session), await countOf(next.session)]).toEqual([5, 2])
    },
  )

  test.skipIf(isOnServer)('counts known entries once when a file is cut, written again or replaced', async () => {
    const { session, path } = sessionFile()
    writeFileSync(path, claudeRows(session, 1, 4))
    await watcher.until(() => watcher.added(path) === 4)
    truncateSync(path, claudeRow(session, 1).length)
    appendFileSync(path, claudeRow(session, 5))
    await watcher.until(() => watcher.added(path) === 5)
    writeFileSync(`${path}.new`, claudeRows(session, 3, 6))
    renameSync(`${path}.new`, path)
    await watcher.until(() => watcher.added(path) === 6)
    expect(await countOf(session)).toBe(6)
    expect(await original(session, path)).toBe(readFileSync(path, 'utf8'))
  })

  test.skipIf(isOnServer)('reads what was written to a file just before it was removed', async () => {
    const { session, path } = sessionFile()
    writeFileSync(path, claudeRows(session, 1, 2))
    await watcher.until(() => watcher.added(path) === 2)
    appendFileSync(path, claudeRow(session, 3))
    rmSync(path)
    await watcher.until(() => watcher.added(path) === 3)
    writeFileSync(path, claudeRows(session, 4, 4))
    await watcher.until(() => watcher.added(path) === 4)
    expect(await countOf(session)).toBe(4)
  })

  test.skipIf(isOnServer)('follows many files, in directories that come later and behind links', async () => {
    const elsewhere = home.directory('elsewhere')
    mkdirSync(join(elsewhere, 'linked'))
    symlinkSync(join(elsewhere, 'linked'), join(projects, '-linked'))
    const files = Array.from({ length: 36 }, (_, index) => {
      const { session, path } = sessionFile()
      const directory = index % 3 === 0 ? join(elsewhere, 'linked') : join(projects, `-later-${index % 3}`)
      mkdirSync(directory, { recursive: true })
      const shown = index % 3 === 0 ? join(projects, '-linked') : directory
      return { session, real: join(directory, `${session}.jsonl`), path: join(shown, `${session}.jsonl`), old: path }
    })
    for (const { session, real } of files) writeFileSync(real, claudeRow(session, 1))
    await watcher.until(() => files.every(({ path }) => watcher.added(path) === 1))
    for (const { session, real } of files) appendFileSync(real, claudeRow(session, 2))
    await watcher.until(() => files.every(({ path }) => watcher.added(path) === 2))
    expect(files.map(({ path }) => watcher.added(path))).toEqual(files.map(() => 2))
  })

  test.skipIf(isOnServer)(
    'reads a Codex rollout again when the first item shows that its events are copies',
    async () => {
      const id = '019c8a4c-ed82-79a1-aa28-7738fc5ab61a'
      const path = join(home.userHome, `.codex/sessions/2026/02/23/rollout-2026-02-23T12-40-23-${id}.jsonl`)
      const line = (type: string, payload: object) =>
        `${JSON.stringify({ timestamp: '2026-02-23T12:40:23.000Z', type, payload })}\n`
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, line('session_meta', { id }) + line('event_msg', { type: 'user_message', message: 'Hello' }))
      await watcher.until(() => watcher.added(path) === 2)
      const content = [{ type: 'input_text', text: 'Hello' }]
      appendFileSync(path, line('response_item', { type: 'message', role: 'user', content }))
      await watcher.until(() => watcher.added(path) === 3)
      expect(await countOf(id)).toBe(3)
      expect(await original(id, path)).toBe(readFileSync(path, 'utf8'))
    },
  )

  test('does not bring back what is erased while it follows', async () => {
    const { session, path } = sessionFile()
    writeFileSync(path, claudeRows(session, 1, 3))
    await watcher.until(() => watcher.added(path) === 3)
    expect((await home.cli(['erase', '--session', session, '--yes'])).code).toBe(0)
    appendFileSync(path, claudeRow(session, 4))
    await watcher.until(() =>
      watcher.reports.some((report) => report.path === path && report.documents[0]?.erased === 4),
    )
    expect(await countOf(session)).toBeUndefined()
  })

  test('loses nothing and doubles nothing when it is killed, and stops with 0 when it is asked to', async () => {
    const { session, path } = sessionFile()
    writeFileSync(path, claudeRows(session, 1, 50))
    await watcher.until(() => watcher.added(path) > 0)
    await watcher.stop('SIGKILL')
    appendFileSync(path, claudeRows(session, 51, 60))
    watcher = await start()
    expect(await countOf(session)).toBe(60)
    appendFileSync(path, claudeRow(session, 61))
    await watcher.until(() =>
      watcher.reports.some((report) => report.path === path && report.documents[0]?.known === 0),
    )
    expect(await countOf(session)).toBe(61)
    expect(await original(session, path)).toBe(readFileSync(path, 'utf8'))
    const before = watcher
    expect(await before.stop()).toBe(0)
    watcher = await start()
    // What has not changed is not read again.
    expect(watcher.reports).toEqual([])
    expect(await watcher.stop('SIGINT')).toBe(0)
    watcher = await start()
  })

  test.skipIf(isOnServer)('goes on when the process that owns the store is replaced', async () => {
    const { session, path } = sessionFile()
    writeFileSync(path, claudeRow(session, 1))
    await watcher.until(() => watcher.added(path) === 1)
    await home.endDaemon()
    appendFileSync(path, claudeRow(session, 2))
    await watcher.until(() => watcher.added(path) === 2)
    expect(await countOf(session)).toBe(2)
  })

  // Only Linux counts what a process reads; on a server it does the background work too, which reads what is stored.
  test.runIf(process.platform === 'linux' && !isOnServer)('reads of a large file what is new and no more', async () => {
    const { session, path } = sessionFile()
    const large = Array.from({ length: 40 }, (_, index) => claudeRow(session, index + 1, 'x'.repeat(100_000))).join('')
    writeFileSync(path, large)
    await watcher.until(() => watcher.added(path) === 40)
    const bytesRead = () =>
      Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${watcher.child.pid}/io`, 'utf8'))?.[1] ?? Number.NaN)
    const before = bytesRead()
    for (const number of [41, 42, 43]) {
      appendFileSync(path, claudeRow(session, number))
      await watcher.until(() => watcher.added(path) === number)
    }
    expect(bytesRead() - before).toBeLessThan(1_000_000)
  })

  const real = sharedData('transcripts', 'claude-code', 'entire', '28_a8bc758709_0.full.jsonl')

  test.skipIf(real === undefined || isOnServer)(
    'stores of a real transcript that grew what an import of the whole does',
    async () => {
      const bytes = readFileSync(real ?? '')
      const path = join(projects, '-work', 'real.jsonl')
      // Each piece ends in the middle of a line.
      const ends = [0.2, 0.4, 0.6, 0.8].map((part) => bytes.indexOf('\n', bytes.length * part) + 100)
      for (const [index, end] of [...ends, bytes.length].entries()) {
        const before = watcher.added(path)
        appendFileSync(path, bytes.subarray(ends[index - 1] ?? 0, end))
        await watcher.until(() => watcher.added(path) > before)
      }
      // Its last line has no end.
      const before = watcher.added(path)
      utimesSync(path, new Date(), new Date(Date.now() - 120_000))
      await watcher.until(() => watcher.added(path) === before + 1)
      const { stdout } = await home.cli(['import', real ?? '', '--format', 'claude-code', '--json'])
      expect(JSON.parse(stdout)).toMatchObject([{ documents: [{ added: 0, known: watcher.added(path) }] }])
      const session = watcher.reports.find((report) => report.path === path)?.documents[0]?.sessionIds[0] ?? ''
      expect(await original(session, path)).toBe(bytes.toString())
    },
  )
})
