import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { expect, test } from 'vitest'

import { useHome } from './support/home.ts'

const home = useHome()

const thought = 'The tide is low.\n\n> *Said:*\n\nSo I must not say that it is high.'

async function exported(session: string, format: string): Promise<string> {
  const { code, stdout } = await home.cli(['export', session, '--format', format])
  expect(code).toBe(0)
  return stdout
}

test.each([
  [
    'blocks',
    [
      { type: 'thinking', thinking: thought, signature: 'c2lnbmVk' },
      { type: 'text', text: 'Wait for noon.' },
    ],
  ],
  ['parts', [{ text: thought, thought: true }, { text: 'Wait for noon.' }]],
])('what a model thought is told from what it said in pages and Markdown: %s', async (session, content) => {
  await (await home.tools()).save({ session_id: session, sender: 'clerk', role: 'assistant', content })
  const quoted = thought
    .split('\n')
    .map((line) => (line === '' ? '>' : `> ${line}`))
    .join('\n')
  expect(await exported(session, 'markdown')).toContain(
    `\n\n*Thinking:*\n\n${quoted}\n\n*Said:*\n\n> Wait for noon.\n\n`,
  )
  expect(await exported(session, 'html')).toMatch(
    /<div class="thought"><span>Thinking<\/span><pre dir="auto">\nThe tide[^]*high\.<\/pre><\/div><pre dir="auto">\nWait for noon\.<\/pre>/u,
  )
})

test('what was said alone stands there as it was, without a label', async () => {
  const text = '  thinking aloud\n\nThinking: no.'
  await (await home.tools()).save({ session_id: 'said', sender: 'Ada', role: 'user', content: text })
  const markdown = await exported('said', 'markdown')
  expect(markdown).toContain('\n\n>   thinking aloud\n>\n> Thinking: no.\n\n')
  expect(markdown).not.toContain('*Thinking:*')
  expect(await exported('said', 'html')).not.toContain('class="thought"')
})

test('a thought of an imported transcript is told from the rest of its message', async () => {
  const path = join(home.userHome, '.claude', 'projects', '-work', 'thinker.jsonl')
  mkdirSync(dirname(path), { recursive: true })
  const content = [
    { type: 'thinking', thinking: 'I look at the gauge.', signature: 'eA==' },
    { type: 'tool_use', id: 't1', name: 'Bash', input: { command: 'gauge' } },
  ]
  const message = { id: 'm1', type: 'message', role: 'assistant', model: 'claude', content }
  const about = { uuid: 'u1', parentUuid: null, sessionId: 'thinker', timestamp: '2026-01-01T00:00:00.000Z' }
  writeFileSync(path, `${JSON.stringify({ type: 'assistant', ...about, message })}\n`)
  expect((await home.cli(['import', '--format', 'claude-code', path])).code).toBe(0)
  expect(await exported('thinker', 'markdown')).toMatch(
    /\*Thinking:\*\n\n> I look at the gauge\.\n\n\*Said:\*\n\n> Bash/u,
  )
})
