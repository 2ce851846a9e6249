import { appendFileSync, copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import { openclawStore } from '../support/openclaw-store.ts'
import { sharedData } from '../support/shared-data.ts'
import { isOnServer } from '../support/test-store.ts'
import { useHome } from './support/home.ts'

const home = useHome()
const state = join(home.userHome, '.openclaw')
const agents = join(state, 'agents')
/** As the plugin names what it delivers: rows, and not their file. */
const spool = join(state, 'verbatim', 'spool', 'agents')

const placeSchema = z.looseObject({ state: z.string(), problems: z.array(z.string()) })
const statusSchema = z.object({ coverage: z.array(placeSchema), alarms: z.array(z.string()) })

async function status(...args: readonly string[]) {
  const { stdout } = await home.cli(['status', '--json', '--sources', 'openclaw', ...args])
  const { coverage, alarms } = statusSchema.parse(JSON.parse(stdout))
  return { place: coverage[0], places: coverage.length, alarms }
}

/** Stores rows as the plugin does. */
async function deliver(agent: string, lines: string): Promise<void> {
  const directory = join(spool, agent, 'sessions')
  mkdirSync(directory, { recursive: true })
  const path = join(directory, 'segment.jsonl')
  writeFileSync(path, lines)
  const { code, stderr } = await home.cli(['import', '--rows-only', '--format', 'openclaw', path])
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('failed') })
  rmSync(path)
}

function header(id: string): string {
  return `${JSON.stringify({ type: 'session', version: 3, id, timestamp: '2026-01-01T00:00:00.000Z', cwd: '/work' })}\n`
}

function said(id: string, at: Date = new Date()): string {
  const message = { role: 'user', content: `said ${id}`, timestamp: at.getTime() }
  return `${JSON.stringify({ type: 'message', id, parentId: null, timestamp: at.toISOString(), message })}\n`
}

/** Everything below the state directory, so that a change would be seen. */
function filesOf(directory: string): ReadonlyMap<string, string> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8', withFileTypes: true })
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return new Map(files.map((path) => [path, readFileSync(path).toString('base64')]))
}

describe('status of sessions in files', () => {
  const path = join(agents, 'main', 'sessions', 'claw.jsonl')

  test('tells each row that the plugin has delivered from those that it has not', async () => {
    mkdirSync(join(agents, 'main', 'sessions'), { recursive: true })
    writeFileSync(path, header('claw') + said('a') + said('b'))
    writeFileSync(join(agents, 'main', 'sessions', 'sessions.json'), '{"agent:main:main":{"sessionId":"claw"}}')
    expect(await status('--quiet-after', '0')).toMatchObject({
      place: { state: 'never captured', files: 2, files_missing: 1, by_rows: { rows: 3, rows_missing: 3 } },
      alarms: [],
    })
    await deliver('main', header('claw') + said('a') + said('b'))
    const before = filesOf(agents)
    expect(await status('--quiet-after', '0')).toMatchObject({
      place: {
        state: 'complete',
        files_missing: 0,
        entries_stored: 3,
        last_captured_at: expect.any(String),
        by_rows: { sessions: 1, sessions_incomplete: 0, rows: 3, rows_missing: 0, incomplete: [] },
      },
      alarms: [],
    })
    expect(filesOf(agents)).toEqual(before)
  })

  test.skipIf(isOnServer)('is behind, then alarmed, and complete again when the rest has come', async () => {
    const at = new Date(Date.now() - 60_000)
    appendFileSync(path, said('c', new Date(at.getTime() - 1)) + said('d', at))
    const incomplete = [{ session: 'main/claw', rows: 5, rows_missing: 2 }]
    expect(await status()).toMatchObject({
      place: { state: 'behind', by_rows: { rows_missing: 2, incomplete } },
      alarms: [],
    })
    const { place, alarms } = await status('--quiet-after', '0')
    expect(place).toMatchObject({ state: 'silent', missing: [path] })
    expect(alarms).toEqual([
      expect.stringMatching(/^openclaw .*: 2 rows of 1 session in 1 file that are not stored, .* Run: .*import$/),
    ])
    expect(await home.cli(['status', '--check', '--quiet-after', '0'])).toMatchObject({ code: 1 })
    // Rows of the middle are missing as well: it is no comparison of counts.
    await deliver('main', header('claw') + said('d', at))
    expect(await status()).toMatchObject({ place: { by_rows: { rows_missing: 1 } } })
    expect((await home.cli(['import', '--sources', 'openclaw'])).code).toBe(0)
    expect(await status('--quiet-after', '0')).toMatchObject({ place: { state: 'complete' }, alarms: [] })
    expect(await home.cli(['status', '--check', '--quiet-after', '0'])).toEqual({ code: 0, stdout: '', stderr: '' })
  })

  test('knows rows without an id by their bytes, and how often they came', async () => {
    const row = '{"type":"message","message":{"role":"user","content":"no id"}}\n'
    const bare = join(agents, 'main', 'sessions', 'bare.jsonl')
    writeFileSync(bare, header('bare') + row + row)
    await deliver('main', header('bare') + row)
    expect(await status()).toMatchObject({ place: { by_rows: { rows_missing: 1 } } })
    await deliver('main', header('bare') + row + row)
    expect(await status()).toMatchObject({ place: { by_rows: { rows_missing: 0 } } })
  })

  test.skipIf(isOnServer)('compares the rows in paths that are named', async () => {
    const copies = join(home.directory('copies'), 'agents', 'main', 'sessions')
    mkdirSync(copies, { recursive: true })
    copyFileSync(path, join(copies, 'claw.jsonl'))
    const { coverage } = statusSchema.parse(
      JSON.parse((await home.cli(['status', '--json', '--sources', 'codex', copies])).stdout),
    )
    expect(coverage).toMatchObject([{ source: 'openclaw', state: 'complete', by_rows: { rows: 5, rows_missing: 0 } }])
  })

  test('does not miss what was erased here', async () => {
    expect((await home.cli(['erase', '--session', 'main/bare', '--yes'])).code).toBe(0)
    expect(await status('--quiet-after', '0')).toMatchObject({
      place: { state: 'complete', by_rows: { rows_missing: 0 } },
    })
  })

  test.skipIf(isOnServer)('shows people each agent, and each session where that is asked for', async () => {
    const lines = (await home.cli(['status', '--sources', 'openclaw', '--by-session'])).stdout
    expect(lines).toMatch(/^agent of openclaw +sessions +incomplete +rows +rows missing +missing since /m)
    expect(lines).toMatch(/^main +2 +0 +8 +0 /m)
    expect(lines).toMatch(/^main\/claw +5 +0 /m)
    expect((await home.cli(['status'])).stdout).not.toContain('main/claw')
  })
})

// What is read of OpenClaw is the same, wherever it is compared with.
describe.skipIf(isOnServer)('status of a database', () => {
  const database = join(agents, 'work', 'agent', 'openclaw-agent.sqlite')
  const workOf = (place: unknown) =>
    z
      .looseObject({ by_rows: z.looseObject({ agents: z.array(z.looseObject({ agent: z.string() })) }) })
      .parse(place)
      .by_rows.agents.find(({ agent }) => agent === 'work')

  test('compares its sessions, archives too, and leaves out what is incognito', async () => {
    rmSync(join(agents, 'main'), { recursive: true, force: true })
    const store = await openclawStore(database, { wal: true })
    const rows = (text: string) =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
    store.session('agent:work:main', 'one', rows(header('one') + said('a') + said('b')))
    store.session('agent:work:dashboard:incognito-x', 'secret', rows(header('secret') + said('s')))
    const blob = Buffer.from(header('old') + said('x'))
    const sha256 = (await import('node:crypto')).createHash('sha256').update(blob).digest('hex')
    store.archive('archived', 'agent:work:old', { blob, encoding: 'identity', sha256 })
    const before = filesOf(agents)
    await deliver('work', header('one') + said('a'))
    const { place, places } = await status('--by-session')
    expect(places).toBe(1)
    expect(workOf(place)).toMatchObject({ sessions: 2, sessions_incomplete: 2, rows: 5, rows_missing: 3 })
    expect(JSON.stringify(place)).not.toContain('secret')
    expect(filesOf(agents)).toEqual(before)
    expect((await home.cli(['import', '--sources', 'openclaw'])).code).toBe(0)
    expect(workOf((await status()).place)).toMatchObject({ sessions: 2, rows: 5, rows_missing: 0 })
    store.database.close()
  })

  test('says that it cannot tell, and why, where the database is of an unknown kind', async () => {
    rmSync(join(agents, 'work'), { recursive: true })
    const store = await openclawStore(database, { version: 99 })
    store.database.close()
    const { place, alarms } = await status()
    expect(place).toMatchObject({ state: 'unknown', files: 1, files_stored: 0 })
    expect(alarms).toEqual([expect.stringMatching(/schema version must be one of .*: current value is 99/)])
    expect((await home.cli(['status', '--check'])).code).toBe(1)
    rmSync(join(agents, 'work'), { recursive: true })
  })

  const real = sharedData('transcripts', 'openclaw', 'generated-2026.9.6-sqlite')

  test.skipIf(real === undefined)('counts the rows that OpenClaw 2026.9.6 wrote, session by session', async () => {
    if (real === undefined) return
    mkdirSync(join(agents, 'main', 'agent'), { recursive: true })
    copyFileSync(join(real, 'openclaw-agent.sqlite'), join(agents, 'main', 'agent', 'openclaw-agent.sqlite'))
    const [first = '', second = ''] = readdirSync(real).filter((name) => name.endsWith('.jsonl'))
    await deliver('main', readFileSync(join(real, first), 'utf8'))
    const half = readFileSync(join(real, second), 'utf8').split('\n').slice(0, 2)
    await deliver('main', half.map((line) => `${line}\n`).join(''))
    const { place } = await status('--by-session')
    expect(place).toMatchObject({
      by_rows: {
        sessions: 3,
        sessions_incomplete: 2,
        rows: 84,
        rows_missing: 43,
        each: [
          { session: 'main/17da8aa8-e498-4d99-ad13-e896934a97de', rows: 39, rows_missing: 0 },
          { session: 'main/21130d67-3c9c-444a-b020-3f5c62466e34', rows: 6, rows_missing: 4 },
          { session: 'main/97b84db7-a4b6-4743-b8d7-fbacb2fa4f39', rows: 39, rows_missing: 39 },
        ],
      },
    })
    expect((await home.cli(['import', '--sources', 'openclaw'])).code).toBe(0)
    expect(await status('--quiet-after', '0')).toMatchObject({ place: { state: 'complete' }, alarms: [] })
  })
})
