import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { beforeAll, describe, expect, test } from 'vitest'

import { saveDecision } from './support/berth.ts'
import { outputOf } from './support/cli-output.ts'
import { useHome } from './support/home.ts'
import { stable } from './support/stable.ts'
import type { Tools } from './support/tools.ts'

const home = useHome()
let tools: Tools

beforeAll(async () => {
  tools = await home.tools()
  await saveDecision(tools, 'berths')
})

const output = (...args: readonly string[]) => outputOf(home, args)

async function json(...args: readonly string[]): Promise<unknown> {
  return JSON.parse(await output(...args, '--json'))
}

describe('what a command prints', () => {
  test('sessions lists what there is', async () => {
    expect(await home.cli(['sessions', '--tag', 'none'])).toMatchObject({
      code: 0,
      stdout: 'No sessions.\n',
      stderr: 'No session has the tag "none".\n',
    })
    expect(stable(await output('sessions', '--participant', 'Ada'))).toMatchInlineSnapshot(`
      "session                               source  last active       messages  tokens  title
      <id 1>  mcp     2025-03-01 10:00         2      21  berths: Which berth did the Marguerite get?
      "
    `)
    expect(await json('sessions')).toMatchObject({ sessions: [{ external_id: 'berths', message_count: 2 }] })
  })

  test('show prints a session, by the caller’s id too', async () => {
    expect(stable(await output('show', 'berths'))).toMatchInlineSnapshot(`
      "<id 1>
      <id 1>  mcp  2025-03-01T10:00:00.000Z to 2025-03-01T10:00:09.000Z
      2 messages, 21 tokens, 0 tool calls, 0 context switches
      participants: Ada, clerk; models: model-a

      [1] Ada (user) 2025-03-01T10:00:00.000Z
      Which berth did the Marguerite get?

      [2] clerk (assistant) 2025-03-01T10:00:09.000Z
      We decided: the Marguerite gets berth 14.
      "
    `)
    expect(await json('show', 'berths', '--full')).toMatchObject({
      messages: [{ content: 'Which berth did the Marguerite get?' }, { metadata: { model: 'model-a' } }],
    })
    const page = await home.cli(['show', 'berths', '--limit', '1'])
    const cursor = /More: --cursor (\S+)/.exec(page.stderr)?.[1] ?? ''
    expect(await output('show', 'berths', '--cursor', cursor)).toContain('berth 14')
  })

  test('search marks the hits', async () => {
    expect(stable(await output('search', 'Marguerite', '--limit', '5', '--role', 'assistant'))).toMatchInlineSnapshot(`
      "<id 1>  mcp  2025-03-01
        [1] Ada (user), 2025-03-01 10:00
          Which berth did the Marguerite get?
      > [2] clerk (assistant), 2025-03-01 10:00
          We decided: the Marguerite gets berth 14.
      "
    `)
    expect(await json('search', '"gets berth"')).toMatchObject({ results: [{ messages: [{}, { hit: { rank: 1 } }] }] })
    expect(await output('search', 'zyzzyva')).toBe('Nothing was found.\n')
  })

  test('summarize quotes with the numbers of the messages', async () => {
    expect(stable(await output('summarize', 'berths'))).toMatchInlineSnapshot(`
      "[1] Ada: Which berth did the Marguerite get?
      [2] clerk: We decided: the Marguerite gets berth 14.
      "
    `)
    expect(await json('summarize', 'berths', '--style', 'handoff')).toMatchObject({
      style: 'handoff',
      made_by: 'extractive',
    })
  })

  test('export writes JSON, JSONL and Markdown, to stdout or to a new file', async () => {
    const document: unknown = JSON.parse(await output('export', 'berths'))
    expect(document).toMatchObject({
      external_id: 'berths',
      messages: [{ seq: 1 }, { seq: 2 }],
      context_summary: expect.any(String),
    })
    const lines = (await output('export', 'berths', '--format', 'jsonl')).trimEnd().split('\n')
    expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([{ seq: 1, sender: 'Ada' }, { seq: 2 }])
    const markdown = await output('export', 'berths', '--format', 'markdown')
    expect(markdown).toContain('## 2 · clerk (assistant) · 2025-03-01T10:00:09.000Z\n\n> We decided')
    const file = join(home.directory('exports'), 'berths.md')
    expect(await output('export', 'berths', '--format', 'markdown', '--output', file)).toBe('')
    expect(readFileSync(file, 'utf8')).toBe(markdown)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const again = await home.cli(['export', 'berths', '--output', file])
    expect(again.code).toBe(2)
    expect(again.stderr).toMatch(/^verbatim: Cannot write to .*berths\.md.*\nName a file that does not exist/)
    expect(readFileSync(file, 'utf8')).toBe(markdown)
  })

  test('what export wrote as JSONL is imported again', async () => {
    const file = join(home.directory('exports'), 'berths.jsonl')
    writeFileSync(file, await output('export', 'berths', '--format', 'jsonl'))
    const other = { env: { VERBATIM_HOME: join(home.userHome, 'store') } }
    const { code, stdout } = await home.cli(['import', file, '--json'], other)
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject([{ status: 'imported', documents: [{ added: 2 }] }])
  })
})

test('a reader that goes away, as head does, ends a command quietly', async () => {
  await tools.save({ content: 'long line\n'.repeat(100_000), sender: 'Ada', session_id: 'long' })
  for (const command of ['export long --format markdown', 'show long --json', 'export long']) {
    const script = `set -o pipefail; "${process.execPath}" "${home.program}" ${command} | head -n 1 | wc -l`
    const { code, stdout, stderr } = await home.run('bash', ['-c', script])
    expect({ code, stdout: stdout.trim(), stderr }).toEqual({ code: 0, stdout: '1', stderr: '' })
  }
})

test('import --dry-run imports nothing, and import without a path looks at the known places', async () => {
  const file = join(home.directory('exports'), 'dry.jsonl')
  writeFileSync(file, '{"session_id":"dry","role":"user","content":"x"}\n')
  expect(await output('import', file, '--dry-run')).toBe(`${file}\n`)
  expect((await home.cli(['show', 'dry'])).code).toBe(2)
  expect(await output('import')).toBe('Nothing to import was found.\n')
})

test('import reports what is no transcript and keeps what is damaged', async () => {
  const directory = home.directory('mixed')
  writeFileSync(join(directory, 'notes.txt'), 'just notes\n')
  writeFileSync(
    join(directory, 'broken.jsonl'),
    '{"session_id":"broken","role":"user","content":"one"}\n{"session_id":"broken","role":\n{"session_id":"broken","role":"user","content":"two"}\n',
  )
  const { stdout, code } = await home.cli(['import', directory])
  expect(code).toBe(0)
  expect(stdout).toMatch(/skipped .*notes\.txt: not a transcript/)
  expect(stdout).toMatch(/damaged .*broken\.jsonl entry 2: .*kept as it is/)
  expect(await output('export', 'broken', '--format', 'original')).toBe(
    readFileSync(join(directory, 'broken.jsonl'), 'utf8'),
  )
})
