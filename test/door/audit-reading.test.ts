import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { useHome } from './support/home.ts'
import { HttpHome } from './support/http-home.ts'

const home = useHome()
let server: HttpHome
let harbour: string
let other: string

const entrySchema = z.looseObject({
  id: z.number(),
  at: z.iso.datetime(),
  actor: z.string(),
  action: z.string(),
  outcome: z.string(),
  token: z.string().optional(),
  token_id: z.uuid().optional(),
  tool: z.string().optional(),
  object_id: z.string().optional(),
  objects: z.array(z.string()).optional(),
})

function entriesIn(lines: string) {
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => entrySchema.parse(JSON.parse(line)))
}

async function audit(...args: readonly string[]) {
  const { code, stdout, stderr } = await home.cli(['audit', ...args])
  expect(stderr).toBe('')
  expect(code).toBe(0)
  return stdout
}

const replySchema = z.object({ result: z.object({ structuredContent: z.looseObject({ session_id: z.string() }) }) })

/** Calls a tool, and gives the id of the session that it was about. */
async function call(name: string, args: Readonly<Record<string, unknown>>, token = server.token): Promise<string> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } })
  const answer = await server.post({ body, headers: { authorization: `Bearer ${token}` } })
  return replySchema.parse(await answer.json()).result.structuredContent.session_id
}

beforeAll(async () => {
  server = await HttpHome.start(home, { keep: true })
  const save = (session: string, content: string) =>
    call('save_message', { content, sender: 'Ann', session_id: session })
  for (const text of ['The harbour opens at six.', 'Berth 14 is free.', 'The pilot is Ines.'])
    harbour = await save('harbour', text)
  other = await save('other', 'Nothing of the sort.')
  const token = await server.newToken('--name', 'bob', '--principal', 'bob', '--scopes', 'read')
  await call('get_session', { session_id: 'harbour', from_seq: 2, limit: 1 }, token)
  const second = await server.newToken('--name', 'phone', '--principal', 'bob', '--scopes', 'read')
  await call('get_session', { session_id: 'other' }, second)
  // Rows of what reads are written a moment later.
  await sleep(500)
})
afterAll(async () => {
  await server.stop()
})

describe('audit export', () => {
  test('writes every row in order, and nothing of what was said', async () => {
    const lines = await audit('export')
    const entries = entriesIn(lines)
    expect(entries.map(({ id }) => id)).toEqual(entries.map(({ id }) => id).toSorted((a, b) => a - b))
    expect(entries.filter(({ action }) => action === 'message.save')).toHaveLength(4)
    expect(entries.find(({ actor, tool }) => actor === 'bob' && tool === 'get_session')).toMatchObject({
      action: 'call.tool',
      outcome: 'ok',
      origin: 'http',
      auth_method: 'token',
    })
    expect(lines).not.toMatch(/harbour|Berth/)
  })

  test('keeps to a span of time, and writes to a new file only', async () => {
    const [first, second] = entriesIn(await audit('export'))
    const before = entriesIn(await audit('export', '--until', second?.at ?? ''))
    expect(before.map(({ id }) => id)).toEqual([first?.id])
    const path = join(home.directory('written'), 'audit.jsonl')
    await audit('export', '--since', second?.at ?? '', '--output', path)
    expect(entriesIn(readFileSync(path, 'utf8'))[0]?.id).toBe(second?.id)
    const again = await home.cli(['audit', 'export', '--output', path])
    expect(again.code).toBe(2)
    expect(again.stderr).toContain('Name a file that does not exist yet')
  })

  test('says what a time looks like', async () => {
    const { code, stderr } = await home.cli(['audit', 'export', '--since', 'last week'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/Cannot read "since" as a time: current value is "last week"\nUse ISO 8601/)
  })
})

describe('audit who-accessed', () => {
  test('names who wrote to a session and who was shown what of it', async () => {
    const entries = entriesIn(await audit('who-accessed', 'harbour', '--json'))
    expect(entries.map(({ actor, action }) => `${actor} ${action}`)).toEqual([
      'local message.save',
      'local message.save',
      'local message.save',
      'bob call.tool',
    ])
    expect(entries.at(-1)?.objects).toContain(`${harbour}/2-2`)
    const table = await audit('who-accessed', harbour)
    expect(table).toMatch(new RegExp(`bob .*get_session .*ok .*${harbour}/2-2`))
  })

  test('names the token, of which one principal may have several', async () => {
    const ofBob = entriesIn(await audit('who-accessed', '--json')).filter(({ actor }) => actor === 'bob')
    expect(ofBob.map(({ token, objects = [] }) => [token, objects[0]?.slice(0, 36)])).toEqual([
      ['bob', harbour],
      ['phone', other],
    ])
    expect(new Set(ofBob.map(({ token_id: id }) => id)).size).toBe(2)
    const table = await audit('who-accessed')
    expect(table).toMatch(/^when +who +token +by +did +outcome +what\n/)
    expect(table).toMatch(new RegExp(` bob +phone +\\S+ +get_session +ok +${other}`))
    // A token that is not in the list any more is known by its id.
    await home.inDatabase(`delete from access_tokens where name = 'phone'`)
    expect(await audit('who-accessed', other)).toMatch(new RegExp(` bob +${ofBob[1]?.token_id} `))
  })

  test('of one message those who were shown it', async () => {
    const shown = async (seq: number) =>
      entriesIn(await audit('who-accessed', harbour, '--message', String(seq), '--json')).filter(
        ({ action }) => action === 'call.tool',
      )
    expect((await shown(2)).map(({ actor }) => actor)).toEqual(['bob'])
    expect(await shown(3)).toEqual([])
  })

  test('of all sessions, within a span of time', async () => {
    const entries = entriesIn(await audit('who-accessed', '--since', '2026-01-01', '--json'))
    expect(new Set(entries.map(({ object_id: id }) => id))).toEqual(new Set([harbour, other]))
    expect(await audit('who-accessed', '--until', '2026-01-01')).toBe('Nobody.\n')
  })

  test('says what is wrong with what it was given', async () => {
    const unknown = await home.cli(['audit', 'who-accessed', 'nowhere'])
    expect(unknown.code).toBe(2)
    expect(unknown.stderr).toContain('No session "nowhere"\nOf a session that was erased only our own id is known')
    const without = await home.cli(['audit', 'who-accessed', '--message', '2'])
    expect(without.code).toBe(2)
    expect(without.stderr).toContain('Cannot look for a message without its session')
  })
})
