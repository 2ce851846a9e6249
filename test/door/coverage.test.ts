import { execFile } from 'node:child_process'
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import { isOnServer } from '../support/test-store.ts'
import { useHome } from './support/home.ts'
import { HttpHome } from './support/http-home.ts'

const home = useHome()
const projects = join(home.userHome, '.claude', 'projects')

function row(session: string, number: number, atMs = Date.now()): string {
  const about = { uuid: `${session} ${number}`, parentUuid: null, timestamp: new Date(atMs).toISOString() }
  return `${JSON.stringify({ type: 'user', sessionId: session, ...about, message: { role: 'user', content: `said ${number}` } })}\n`
}

function write(path: string, content: string): string {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
  return path
}

const placeSchema = z.looseObject({ source: z.string(), path: z.string(), state: z.string(), files: z.number() })
const statusSchema = z.looseObject({ coverage: z.array(placeSchema), alarms: z.array(z.string()) })

async function statusOf(...args: readonly string[]) {
  const { code, stdout, stderr } = await home.cli(['status', '--json', ...args])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return statusSchema.parse(JSON.parse(stdout))
}

async function placeOf(source: string, ...args: readonly string[]) {
  return (await statusOf(...args)).coverage.find((place) => place.source === source)
}

async function importAll(...args: readonly string[]): Promise<void> {
  expect((await home.cli(['import', ...args])).code).toBe(0)
}

// What is stored of files is read in the first case; what is made of that is the same on both stores.
describe('status', () => {
  const first = join(projects, '-work', 'first.jsonl')
  const codex = join(home.userHome, '.codex', 'sessions', '2026', '01', '01', 'rollout-1.jsonl')

  test('says of each client what is there and what is stored', async () => {
    write(first, row('first', 1) + row('first', 2))
    write(join(projects, '-work', 'second.jsonl'), row('second', 1))
    write(codex, '{"timestamp":"2026-01-01T00:00:00.000Z","type":"session_meta","payload":{"id":"c"}}\n')
    await importAll('--sources', 'claude-code')
    const { coverage, alarms } = await statusOf()
    const bytes = row('first', 1).length * 2 + row('second', 1).length
    expect(coverage).toMatchObject([
      {
        source: 'claude-code',
        path: projects,
        state: 'complete',
        files: 2,
        bytes,
        entries_stored: 3,
        files_missing: 0,
      },
      { source: 'codex', state: 'never captured', files: 1, files_missing: 1, missing: [codex] },
    ])
    expect(alarms).toEqual([])
    expect(await home.cli(['status', '--check'])).toEqual({ code: 0, stdout: '', stderr: '' })
  })

  test.skipIf(isOnServer)('is behind for a while and then alarmed, also while the file goes on growing', async () => {
    appendFileSync(first, row('first', 3))
    const missing = { files_missing: 1, bytes_missing: row('first', 3).length, missing: [first] }
    expect(await placeOf('claude-code')).toMatchObject({ state: 'behind', ...missing })
    expect((await home.cli(['status', '--check'])).code).toBe(0)
    expect(await home.cli(['status', '--check', '--quiet-after', '0'])).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^ALARM claude-code .*: 1 file with \d+ bytes that are not stored/),
    })
    await importAll('--sources', 'claude-code')
    // What is missing has waited since its first line was written, however young the file looks.
    const at = Date.now() - 200
    appendFileSync(first, row('first', 4, at) + row('first', 5))
    const place = await placeOf('claude-code', '--sources', 'claude-code')
    expect(place).toMatchObject({ files_missing: 1, missing_since: new Date(at).toISOString() })
  })

  test.skipIf(isOnServer)(
    'ends with 1 where what was captured is not any more, and with 0 when it is stored',
    async () => {
      const { coverage } = await statusOf('--quiet-after', '0')
      expect(coverage).toMatchObject([{ source: 'claude-code', state: 'silent' }, { state: 'never captured' }])
      const checked = await home.cli(['status', '--check', '--json', '--quiet-after', '0'])
      expect(checked.code).toBe(1)
      expect(JSON.parse(checked.stdout)).toMatchObject({ alarms: [expect.stringContaining(projects)] })
      await importAll('--sources', 'claude-code')
      expect(await home.cli(['status', '--check', '--quiet-after', '0'])).toEqual({ code: 0, stdout: '', stderr: '' })
    },
  )

  test.skipIf(isOnServer)('looks at paths that are named, and at what was imported from elsewhere', async () => {
    const elsewhere = home.directory('elsewhere')
    const path = write(join(elsewhere, 'other.jsonl'), row('other', 1))
    await importAll(path)
    const found = (await statusOf()).coverage.filter((place) => place.path === elsewhere)
    expect(found).toMatchObject([{ source: 'claude-code', state: 'complete', files: 1 }])
    write(join(elsewhere, 'new.jsonl'), row('new', 1))
    const named = (await statusOf(elsewhere, '--quiet-after', '0')).coverage.find((place) => place.path === elsewhere)
    expect(named).toMatchObject({ state: 'silent', files: 2, files_missing: 1 })
  })

  test.skipIf(isOnServer)('is alarmed by transcripts that hooks could not import', async () => {
    const note = write(
      join(home.path, 'captures', 'old.json'),
      JSON.stringify({ path: first, format: 'claude-code', at: '2026-01-01T00:00:00.000Z' }),
    )
    expect(await home.cli(['status', '--check'])).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^ALARM hooks: 1 transcript waits .* since 2026-01-01.* hook pending\n$/),
    })
    rmSync(note)
  })

  test.skipIf(isOnServer)('shows it to people as tables', async () => {
    const { stdout } = await home.cli(['status'])
    expect(stdout).toMatch(/^source +sessions +messages +last active$/m)
    expect(stdout).toMatch(/^claude-code +2 .* complete +\S+projects$/m)
    expect(stdout).toMatch(/^codex .* never captured /m)
  })
})

describe.skipIf(isOnServer)('memory://status', () => {
  const contentsSchema = z.array(z.object({ text: z.string() }))

  test('says it to a client on this machine', async () => {
    const client = await home.connect()
    const { contents } = await client.readResource({ uri: 'memory://status' })
    const status: unknown = JSON.parse(contentsSchema.parse(contents)[0]?.text ?? '')
    expect(status).toMatchObject({
      sources: expect.arrayContaining([expect.objectContaining({ source: 'claude-code', sessions: 3, messages: 7 })]),
      coverage: expect.arrayContaining([expect.objectContaining({ path: projects, state: 'complete' })]),
    })
  })

  test('says to one who comes over HTTP what is stored, and no path', async () => {
    const server = await HttpHome.start(home)
    const { client } = await server.tools()
    const { contents } = await client.readResource({ uri: 'memory://status' })
    const text = contentsSchema.parse(contents)[0]?.text ?? ''
    expect(JSON.parse(text)).toMatchObject({
      sources: [{ source: 'claude-code', messages: 7 }],
    })
    expect(JSON.parse(text)).not.toHaveProperty('coverage')
    expect(text).not.toContain(home.userHome)
  })

  test('says nothing of files that are on another machine', async () => {
    const files = readFileSync(join(projects, '-work', 'first.jsonl'))
    rmSync(projects, { recursive: true })
    rmSync(home.directory('elsewhere'), { recursive: true })
    const { stdout } = await home.cli(['status', '--json'], { env: { HOME: home.directory('another') } })
    expect(files.length).toBeGreaterThan(0)
    expect(statusSchema.parse(JSON.parse(stdout)).coverage).toEqual([])
    expect(stdout).not.toContain('.claude')
  })
})

describe.skipIf(isOnServer)('what was imported from other places', () => {
  const run = promisify(execFile)
  const silentSchema = z.looseObject({ alarms: z.array(z.string()) })

  test('counts every row of a transcript as an entry, also those that are no messages', async () => {
    const rows = [
      row('mixed', 1),
      '{"type":"file-history-snapshot","sessionId":"mixed","messageId":"mixed 1","snapshot":{}}\n',
      '{"type":"a kind of its own","sessionId":"mixed","uuid":"mixed 2"}\n',
      '{"type":"user", that does not parse\n',
    ]
    const path = write(join(home.directory('mixed'), 'mixed.jsonl'), rows.join(''))
    await importAll(path)
    const place = (await statusOf()).coverage.find((found) => found.path === dirname(path))
    expect(place).toMatchObject({ kind: 'imported', state: 'complete', entries_stored: rows.length })
    rmSync(dirname(path), { recursive: true })
  })

  test('is imported by the command that the alarm names, and nothing beside it', async () => {
    const directory = join(home.directory('rest'), "Ada's notes")
    const paths = [1, 2, 3, 4, 5, 6].map((number) =>
      write(join(directory, `of ${number}.jsonl`), row(`rest ${number}`, 1)),
    )
    await importAll(...paths)
    const beside = write(join(directory, 'beside.jsonl'), row('beside', 1))
    for (const path of paths) appendFileSync(path, row(path, 2))
    // Five are named, and the sixth when these are stored.
    for (const left of [1, 0]) {
      const { stdout } = await home.cli(['status', '--check', '--json', '--quiet-after', '0'])
      const { alarms } = silentSchema.parse(JSON.parse(stdout))
      expect(alarms).toHaveLength(1)
      const [, command = '', more = ''] = /Run: (.*?)(, and so on with \d+ more.*)?$/u.exec(alarms[0] ?? '') ?? []
      expect(more.startsWith(', and so on with 1 more')).toBe(left > 0)
      expect(command).toContain(' import --format claude-code ')
      const imported = await run('sh', ['-c', command], { env: home.env, cwd: process.cwd() })
      expect(imported.stdout).not.toContain('Nothing to import')
      const place = (await statusOf()).coverage.find((found) => found.path === directory)
      expect(place).toMatchObject({ files: 6, files_missing: left })
    }
    const named = await home.cli(['status', '--check', '--json', '--quiet-after', '0', beside])
    expect(named.stdout).toContain('beside.jsonl')
    const { alarms } = silentSchema.parse(JSON.parse(named.stdout))
    const [, command = ''] = /Run: (.*)$/u.exec(alarms[0] ?? '') ?? []
    await run('sh', ['-c', command], { env: home.env, cwd: process.cwd() })
    expect(await home.cli(['status', '--check', '--quiet-after', '0', beside])).toMatchObject({ code: 0, stdout: '' })
  })
})

test('a database of OpenClaw whose beginning is damaged is not passed over', async () => {
  const path = write(join(home.userHome, '.openclaw', 'agents', 'main', 'agent', 'openclaw-agent.sqlite'), 'damaged\n')
  const { code, stdout, stderr } = await home.cli(['import', '--sources', 'openclaw'])
  expect(code).toBe(1)
  expect(stdout + stderr).toMatch(/FAILED .*openclaw-agent\.sqlite": file is not a database\. Check the file with/)
  const { alarms } = await statusOf()
  expect(alarms).toContainEqual(expect.stringMatching(/openclaw-agent\.sqlite": file is not a database/))
  expect((await home.cli(['status', '--check'])).code).toBe(1)
  rmSync(path)
})
