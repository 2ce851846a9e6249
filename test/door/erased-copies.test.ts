import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { openHome } from './support/archived.ts'
import { outputOf } from './support/cli-output.ts'
import type { Home } from './support/home.ts'
import { hitsOf } from './support/tools.ts'

let home: Home
let folder: string

beforeEach(async () => {
  home = await openHome({})
  folder = join(home.path, 'files')
  for (const name of ['one', 'two', 'exported']) mkdirSync(join(folder, name), { recursive: true })
})

const said = (at: number, role: string, content: string) =>
  JSON.stringify({ role, content, timestamp: `2026-05-0${at}T10:00:00Z` })
const undated = (role: string, content: string) => JSON.stringify({ role, content })

function write(name: string, lines: readonly string[]): string {
  const path = join(folder, name)
  writeFileSync(path, `${lines.join('\n')}\n`)
  return path
}

const talk = [
  said(1, 'user', 'The vault code of the lighthouse is 4711.'),
  said(2, 'assistant', 'Thank you, I keep it.'),
  said(3, 'user', 'And the spare key lies under the anchor.'),
]

async function sessions(): Promise<string[]> {
  const { stdout } = await home.cli(['sessions', '--json'])
  const schema = z.object({ sessions: z.array(z.object({ session_id: z.string() })) })
  return schema.parse(JSON.parse(stdout)).sessions.map(({ session_id: id }) => id)
}

async function found(query: string): Promise<(string | undefined)[]> {
  return hitsOf(await (await home.tools()).search({ query, context: 0 })).map(({ text }) => text)
}

/** Imports a file and gives what is said of it. */
async function imported(path: string): Promise<string> {
  // The first of a store says that it has made the root key.
  const { code, stdout } = await home.cli(['import', path, '--format', 'generic'])
  expect(code).toBe(0)
  return stdout
}

const erase = (...args: readonly string[]) => outputOf(home, ['erase', ...args, '--yes'])

async function importAndErase(lines: readonly string[]): Promise<string> {
  const path = write('one/talk.jsonl', lines)
  await imported(path)
  const [id] = await sessions()
  await erase('--session', id ?? '')
  expect(await sessions()).toEqual([])
  return path
}

describe('what was erased of a file that names no session', () => {
  test('does not come back from a copy under another name, nor from one that begins otherwise', async () => {
    const path = await importAndErase(talk)
    const copy = join(folder, 'two/other.jsonl')
    copyFileSync(path, copy)
    expect(await imported(copy)).toMatch(/3 entries were erased or anonymised before/)
    expect(await sessions()).toEqual([])
    const later = write('two/later.jsonl', [...talk.slice(1), said(4, 'user', 'The regatta is on Sunday.')])
    expect(await imported(later)).toMatch(/2 entries were erased or anonymised before/)
    expect(await found('regatta anchor spare key')).toEqual(['The regatta is on Sunday.'])
    const array = write('two/array.json', [`[${talk.join(',')}]`])
    expect(await imported(array)).toMatch(/3 entries were erased or anonymised before/)
    expect(await sessions()).toHaveLength(1)
  })

  test('does not come back from a copy of a line that holds the whole conversation, which has the time', async () => {
    const [first, second] = ['The vault code is 4711.', 'The anchor is rusty.']
    const messages = [first, second].map((content) => ({ role: 'user', content }))
    const line = JSON.stringify({ timestamp: '2026-05-01T10:00:00Z', messages })
    const path = write('one/rows.jsonl', [line])
    await imported(path)
    const [id = ''] = await sessions()
    const { messages: stored } = await (await home.tools()).session(id)
    await erase('--message', stored[0]?.id ?? '')
    const copy = join(folder, 'two/other.jsonl')
    copyFileSync(path, copy)
    expect(await imported(copy)).toMatch(/1 entry was erased or anonymised before/)
    expect(await found('vault code 4711')).toEqual([])
  })

  test('does not come back from a copy without times, however long, while prompts are said anew elsewhere', async () => {
    const [system, prompt] = [undated('system', 'You keep the harbour.'), undated('user', 'Write the nightly report.')]
    const lines = [
      system,
      prompt,
      ...Array.from({ length: 600 }, (_, at) =>
        undated(at % 2 === 0 ? 'assistant' : 'user', `The lighthouse is painted, part ${at}.`),
      ),
      undated('user', 'ok'),
    ]
    const path = await importAndErase(lines)
    const copy = join(folder, 'two/other.jsonl')
    copyFileSync(path, copy)
    expect(await imported(copy)).toMatch(/603 entries were erased or anonymised before/)
    expect(await imported(write('two/begun.jsonl', [system, prompt]))).not.toMatch(/erased/)
    const anew = [system, prompt, undated('assistant', 'Nothing happened.'), undated('user', 'ok')]
    expect(await imported(write('two/anew.jsonl', anew))).not.toMatch(/erased/)
    expect(await found('"nightly report"')).toHaveLength(1)
    expect(await found('lighthouse')).toEqual([])
  })

  test('is no reason to leave out what another file has, nor what is said on the same day', async () => {
    const shared = said(2, 'assistant', 'The ferry leaves at nine.')
    const kept = write('two/kept.jsonl', [said(1, 'user', 'When does the ferry leave?'), shared])
    await imported(kept)
    const day = JSON.stringify({ role: 'user', content: 'Yes.', date: '2026-05-01' })
    const other = write('one/talk.jsonl', [day, shared])
    const before = await sessions()
    await imported(other)
    const id = (await sessions()).find((session) => !before.includes(session))
    await erase('--session', id ?? '')
    expect(await sessions()).toHaveLength(1)
    // It grows, and what of it was stored is known.
    writeFileSync(
      kept,
      `${[said(1, 'user', 'When does the ferry leave?'), shared, said(3, 'user', 'Thanks.')].join('\n')}\n`,
    )
    expect(await imported(kept)).not.toMatch(/erased/)
    expect(await outputOf(home, ['export', (await sessions())[0] ?? '', '--format', 'original'])).toContain('Thanks.')
    expect(await imported(write('two/day.jsonl', [day, said(4, 'assistant', 'Noted.')]))).not.toMatch(/erased/)
  })

  test('leaves what another file says that has the same name and beginning, and what is said since', async () => {
    const [hi, hello] = [undated('user', 'hi'), undated('assistant', 'Hello! How can I help you today?')]
    const [thanks, welcome] = [undated('user', 'thanks'), undated('assistant', 'You are welcome!')]
    const lines = [
      hi,
      hello,
      undated('user', 'Where is the spare key?'),
      undated('assistant', 'Under the anchor.'),
      thanks,
      welcome,
    ]
    const path = await importAndErase(lines)
    const other = [
      hi,
      hello,
      undated('user', 'When is the regatta?'),
      undated('assistant', 'On Sunday.'),
      thanks,
      welcome,
    ]
    mkdirSync(join(folder, 'elsewhere/one'), { recursive: true })
    // Of the same folder, name and beginning: what was not erased is stored under another name.
    const twin = await imported(write('elsewhere/one/talk.jsonl', other))
    expect(twin).toMatch(/4 entries were erased or anonymised before/)
    expect(await found('regatta')).toEqual(['When is the regatta?'])
    expect(await imported(write('two/greeting.jsonl', other))).not.toMatch(/erased/)
    expect(await found('spare key anchor')).toEqual([])
    // The file itself goes on.
    writeFileSync(path, `${[...lines, undated('user', 'The ferry is late.')].join('\n')}\n`)
    expect(await imported(path)).toMatch(/6 entries were erased or anonymised before/)
    expect(await found('ferry')).toEqual(['The ferry is late.'])
    writeFileSync(
      path,
      `${[...lines, undated('user', 'The ferry is late.'), undated('user', 'Now it is here.')].join('\n')}\n`,
    )
    await imported(path)
    expect(await sessions()).toHaveLength(3)
    expect(await found('spare key anchor')).toEqual([])
  })

  test('leaves no title behind that was taken from it', async () => {
    const tools = await home.tools()
    await tools.saveAll({
      session_id: 'harbour',
      messages: [
        { content: 'I have the flu.', sender: 'Ada' },
        { content: 'Get well soon.', sender: 'Bob' },
      ],
    })
    await tools.update('harbour', { title: 'Ada has the flu' })
    const exported = join(folder, 'exported/harbour.json')
    await outputOf(home, ['export', 'harbour', '--format', 'json', '--output', exported])
    await erase('--participant', 'Ada')
    expect(await imported(exported)).toMatch(/1 entry was erased or anonymised before/)
    expect((await home.cli(['sessions'])).stdout).not.toContain('flu')
  })

  test('does not come back by single messages, nor in what was exported before', async () => {
    const path = write('one/talk.jsonl', talk)
    await imported(path)
    const [id = ''] = await sessions()
    const exports = await Promise.all(
      (['jsonl', 'json'] as const).map(async (format) => {
        const exported = join(folder, `exported/talk.${format}`)
        await outputOf(home, ['export', id, '--format', format, '--output', exported])
        return exported
      }),
    )
    const [first] = hitsOf(await (await home.tools()).search({ query: 'vault code', context: 0 }))
    await erase('--message', first?.id ?? '')
    for (const exported of exports) expect(await imported(exported)).toMatch(/1 entry was erased or anonymised before/)
    const copy = join(folder, 'two/other.jsonl')
    copyFileSync(path, copy)
    expect(await imported(copy)).toMatch(/1 entry was erased or anonymised before/)
    expect(await found('vault code 4711')).toEqual([])
    await erase('--session', id)
    for (const exported of exports)
      expect(await imported(exported)).toMatch(/3 entries were erased or anonymised before/)
  })

  test('is known in a store that is not encrypted too', async () => {
    home.settings = { VERBATIM_ENCRYPTION: 'off' }
    const path = await importAndErase(talk)
    const copy = join(folder, 'two/other.jsonl')
    copyFileSync(path, copy)
    expect(await imported(copy)).toMatch(/3 entries were erased or anonymised before/)
  })

  test('that a client had saved does not come back in what was exported before', async () => {
    const tools = await home.tools()
    await tools.saveAll({ session_id: 'harbour', messages: [{ content: 'Berth 14 is free.', sender: 'Ada' }] })
    const exported = join(folder, 'exported/harbour.jsonl')
    await outputOf(home, ['export', 'harbour', '--format', 'jsonl', '--output', exported])
    await erase('--session', 'harbour')
    expect(await imported(exported)).toMatch(/1 entry was erased or anonymised before/)
    expect(await found('berth')).toEqual([])
  })

  test('and what was anonymised comes back as it was neither', async () => {
    const path = write('one/talk.jsonl', [said(1, 'user', 'Write to ada@example.com.')])
    await imported(path)
    const [id = ''] = await sessions()
    await outputOf(home, ['anonymise', '--session', id, '--yes'])
    const copy = join(folder, 'two/other.jsonl')
    copyFileSync(path, copy)
    expect(await imported(copy)).toMatch(/1 entry was erased or anonymised before/)
    expect(await sessions()).toEqual([id])
  })
})
