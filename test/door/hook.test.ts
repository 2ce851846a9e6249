import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'

import { beforeAll, describe, expect, test } from 'vitest'

import { useHome } from './support/home.ts'
import type { Tools } from './support/tools.ts'

const home = useHome()
const notes = join(home.path, 'captures')
let tools: Tools

beforeAll(async () => {
  tools = await home.tools()
})

function row(session: string, number: number): string {
  const message = { role: 'user', content: `said ${number}` }
  const about = { uuid: `${session} ${number}`, parentUuid: null, timestamp: '2026-01-01T00:00:00.000Z' }
  return `${JSON.stringify({ type: 'user', sessionId: session, ...about, message })}\n`
}

function write(path: string, content: string): string {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
  return path
}

const claudeFile = (session: string) => join(home.userHome, '.claude', 'projects', '-work', `${session}.jsonl`)

/** Runs a hook as a client does: what it says of the session is on stdin. */
async function hook(args: readonly string[], input: string) {
  const child = spawn(process.execPath, [home.program, 'hook', ...args], { env: home.env, stdio: 'pipe' })
  child.stdin.end(input)
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code: child.exitCode, stdout, stderr }
}

async function countOf(session: string): Promise<number | undefined> {
  const { sessions } = await tools.list({ limit: 100 })
  return sessions.find(({ external_id: id }) => id === session)?.message_count
}

/** A hook leaves the import to a process of its own: this waits for it, as a user does who looks later. */
async function untilStored(session: string, count: number): Promise<void> {
  await expect.poll(() => countOf(session), { timeout: 30_000, interval: 100 }).toBe(count)
  await expect.poll(() => readdirSync(notes), { timeout: 30_000, interval: 100 }).toEqual([])
}

/** As Claude Code 2 hands it over at the end of a turn. */
function stop(session: string, path = claudeFile(session)): string {
  return JSON.stringify({
    session_id: session,
    transcript_path: path,
    cwd: '/work',
    permission_mode: 'default',
    hook_event_name: 'Stop',
    stop_hook_active: false,
  })
}

describe('hook claude-code', () => {
  test('imports the transcript and those of its subagents, without a line that is half written', async () => {
    const path = write(claudeFile('turns'), row('turns', 1) + row('turns', 2) + row('turns', 3).slice(0, 50))
    write(path.replace('.jsonl', '/subagents/agent-a.jsonl'), row('turns', 9))
    expect(await hook(['claude-code'], stop('turns'))).toEqual({ code: 0, stdout: '', stderr: '' })
    await untilStored('turns', 2)
    expect(await countOf('turns/agent-a')).toBe(1)
    write(path, [1, 2, 3, 4].map((number) => row('turns', number)).join(''))
    await hook(['claude-code'], stop('turns'))
    await untilStored('turns', 4)
  })

  test('says what is wrong with its input, and never keeps the turn going', async () => {
    const bad = ['', 'no JSON', '[]', '{}', '{"transcript_path":""}', '{"transcript_path":"not/absolute.jsonl"}', '7']
    for (const input of bad) {
      const { code, stdout, stderr } = await hook(['claude-code'], input)
      expect({ input, code, stdout }).toEqual({ input, code: 1, stdout: '' })
      expect(stderr).toMatch(/^verbatim: Cannot take the input of a hook of claude-code as .*\nConfigure it as docs\//)
    }
    expect(await hook(['claude'], stop('turns'))).toMatchObject({ code: 1, stderr: expect.stringContaining('choices') })
  })

  test.each(['claude-code', 'codex'])('of %s says where its path leads to no transcript', async (client) => {
    const directory = home.directory(`led astray by ${client}`)
    const file = write(join(directory, 'file'), 'no transcript\n')
    const before = readdirSync(notes)
    for (const [path, why] of [
      [file, `a file which is no transcript of ${client}`],
      [join(file, 'below.jsonl'), 'goes on below a file'],
      [directory, 'that of a directory'],
    ] as const) {
      const { code, stdout, stderr } = await hook([client], stop('astray', path))
      expect({ path, code, stdout }).toEqual({ path, code: 1, stdout: '' })
      expect(stderr).toMatch(/^verbatim: Cannot take the input of a hook of .*\nConfigure it as docs\//)
      expect(stderr).toContain(why)
      expect(stderr).toContain(JSON.stringify(path))
    }
    expect(readdirSync(notes)).toEqual(before)
  })

  test('imports a transcript whatever its name, also beside a file of the name of its directory', async () => {
    const path = write(join(home.directory('odd'), 'unnamed'), row('unnamed', 1))
    expect(await hook(['claude-code'], stop('unnamed', path))).toEqual({ code: 0, stdout: '', stderr: '' })
    await untilStored('unnamed', 1)
    write(`${path}.jsonl`, row('named', 1))
    expect(await hook(['claude-code'], stop('named', `${path}.jsonl`))).toEqual({ code: 0, stdout: '', stderr: '' })
    await untilStored('named', 1)
  })

  test('owes what it cannot import, says so, and the next hook imports it', async () => {
    write(claudeFile('owed'), row('owed', 1))
    const note = { path: claudeFile('owed'), format: 'claude-code', at: '2026-01-01T00:00:00.000Z' }
    writeFileSync(join(notes, '0-old.json'), JSON.stringify(note))
    write(claudeFile('next'), row('next', 1))
    const { code, stderr } = await hook(['claude-code'], stop('next'))
    expect(code).toBe(1)
    expect(stderr).toContain('1 transcript waits to be imported, the first since 2026-01-01T00:00:00.000Z')
    await untilStored('owed', 1)
    await untilStored('next', 1)
  })

  test('sets aside a note that cannot be read, says so, and goes on', async () => {
    const damaged = ['0-empty.json', '1-other.json'].map((name) => join(notes, name))
    writeFileSync(join(notes, '0-empty.json'), '')
    writeFileSync(join(notes, '1-other.json'), '{"path":7}')
    write(claudeFile('beside'), row('beside', 1))
    const { code, stderr } = await hook(['claude-code'], stop('beside'))
    expect(code).toBe(1)
    for (const path of damaged) expect(stderr).toContain(`set aside as ${path}.damaged`)
    await expect.poll(() => countOf('beside'), { timeout: 30_000, interval: 100 }).toBe(1)
    const checked = await home.cli(['status', '--check'])
    expect(checked).toMatchObject({ code: 1, stdout: expect.stringContaining(`the note ${damaged[0]}.damaged`) })
    for (const path of damaged) rmSync(`${path}.damaged`)
    expect((await hook(['claude-code'], stop('beside'))).code).toBe(0)
    await untilStored('beside', 1)
  })

  test('takes a last line without its end when the session has ended, and says where it breaks off', async () => {
    const end = (session: string) => stop(session).replace('"Stop"', '"SessionEnd"')
    const [first, second] = [row('ended', 1), row('ended', 2)]
    const path = write(claudeFile('ended'), first + second.trimEnd())
    expect(await hook(['claude-code'], stop('ended'))).toMatchObject({ code: 0 })
    await untilStored('ended', 1)
    expect(await hook(['claude-code'], end('ended'))).toEqual({ code: 0, stdout: '', stderr: '' })
    await untilStored('ended', 2)
    expect((await home.cli(['export', '--format', 'original', 'ended'])).stdout).toBe(first + second.trimEnd())
    // It has gone on after all.
    write(path, first + second + row('ended', 3))
    await hook(['claude-code'], end('ended'))
    await untilStored('ended', 3)

    const broken = write(claudeFile('broken'), row('broken', 1) + row('broken', 2).slice(0, 90))
    const { code, stderr } = await hook(['claude-code'], end('broken'))
    expect(code).toBe(1)
    expect(stderr).toContain(`the last line of ${broken} breaks off after 90 bytes and is not stored`)
    expect(stderr).not.toContain('uuid')
    await untilStored('broken', 1)
    const shown = JSON.parse((await home.cli(['status', '--sources', 'claude-code', '--json'])).stdout)
    expect(shown.coverage).toMatchObject([
      { source: 'claude-code', files_missing: 1, bytes_missing: 90, missing: [broken] },
    ])
    expect((await home.cli(['status', '--sources', 'claude-code'])).stdout).toContain('entries stored')
    await home.cli(['import', '--format', 'claude-code', broken])
    expect((await home.cli(['export', '--format', 'original', 'broken'])).stdout).toHaveLength(
      row('broken', 1).length + 90,
    )
  })

  test('passes over a transcript that is gone', async () => {
    await hook(['claude-code'], stop('gone'))
    await expect.poll(() => readdirSync(notes), { timeout: 30_000, interval: 100 }).toEqual([])
  })
})

describe('hook codex', () => {
  const thread = '019c8a4c-ed82-79a1-aa28-7738fc5ab61a'
  const path = join(home.userHome, `.codex/sessions/2026/02/23/rollout-2026-02-23T12-40-23-${thread}.jsonl`)
  const line = (type: string, payload: object) =>
    `${JSON.stringify({ timestamp: '2026-02-23T12:40:23.000Z', type, payload })}\n`
  const said = (words: string) =>
    line('response_item', { type: 'message', role: 'user', content: [{ type: 'input_text', text: words }] })

  test('finds the rollout of the thread that notify names, in its last argument', async () => {
    write(path, line('session_meta', { id: thread }) + said('one'))
    const notice = JSON.stringify({ type: 'agent-turn-complete', 'thread-id': thread, 'turn-id': '1', cwd: '/work' })
    expect(await hook(['codex', notice], '')).toEqual({ code: 0, stdout: '{}\n', stderr: '' })
    await untilStored(thread, 2)
  })

  test('takes the path that a hook names, and no thread that it cannot find', async () => {
    write(path, line('session_meta', { id: thread }) + said('one') + said('two'))
    const input = { session_id: thread, transcript_path: path, hook_event_name: 'Stop', turn_id: '2' }
    expect(await hook(['codex'], JSON.stringify(input))).toEqual({ code: 0, stdout: '{}\n', stderr: '' })
    await untilStored(thread, 3)
    const { code, stderr } = await hook(['codex'], JSON.stringify({ ...input, transcript_path: null, session_id: 'x' }))
    expect(code).toBe(1)
    expect(stderr).toContain('No rollout of the thread "x"')
  })
})

describe('hook pending', () => {
  test('imports what is owed, says what, and does nothing where nothing is', async () => {
    write(claudeFile('by hand'), row('by hand', 1))
    const note = { path: claudeFile('by hand'), format: 'claude-code', at: '2026-01-01T00:00:00.000Z' }
    writeFileSync(join(notes, '0-old.json'), JSON.stringify(note))
    const { code, stdout } = await home.cli(['hook', 'pending'])
    expect({ code, stdout }).toEqual({ code: 0, stdout: `claude-code ${note.path}: 1 new entry\n` })
    expect(await home.cli(['hook', 'pending'])).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(existsSync(join(notes, '0-old.json'))).toBe(false)
  })
})
