import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'
import { z } from 'zod'

import { openHome } from './support/archived.ts'

const messages = [
  { content: 'Which port does the crane listen on?', sender: 'Ada', message_id: 'q' },
  {
    content: [
      { type: 'text', text: 'I look.' },
      { type: 'tool_use', id: 't', name: 'Bash', input: { command: 'ss -l' } },
    ],
    sender: 'helper',
    model: 'one',
    tokens: { input: 10, output: 5, cache_read: 100, cache_write: 2 },
    message_id: 'c',
  },
  { content: 'It says 7070.\r\n', sender: 'Bash', role: 'tool', tool_call_id: 't' },
  { content: 'Port 7070.', sender: 'helper', model: 'two', tokens: { cache_read: 7 } },
  { content: 'And the other crane?', sender: 'Ada', parent_id: 'q' },
]

const entrySchema = z.looseObject({ content: z.unknown() })
const contentOf = (entry: unknown) => entrySchema.parse(entry).content

test.each(['json', 'jsonl'])('an export of several sessions as %s is imported whole', async (format) => {
  const first = await openHome({})
  const tools = await first.tools()
  for (const session_id of ['north', 'south', 'west']) await tools.saveAll({ session_id, messages })
  const path = join(first.directory('out'), `all.${format}`)
  const exported = await first.cli(['export', 'north', 'south', 'west', '--format', format, '--output', path])
  expect(exported).toMatchObject({ code: 0 })

  const second = await openHome({})
  expect(await second.cli(['import', path])).toMatchObject({ code: 0 })
  const there = await second.tools()
  for (const name of ['north', 'south', 'west']) {
    const before = await tools.session(name)
    const after = await there.session(before.session_id)
    const totals = ({
      message_count,
      total_tokens,
      tool_invocations,
      context_switches,
      models_used,
    }: typeof before) => ({
      message_count,
      total_tokens,
      tool_invocations,
      context_switches,
      models_used,
    })
    expect(totals(after)).toEqual(totals(before))
    expect(totals(after)).toMatchObject({ total_tokens: 124, context_switches: 2 })
    // Each entry is what the export has of a message.
    expect(after.messages.map(({ content }) => contentOf(content))).toEqual(
      before.messages.map(({ content }) => content),
    )
    expect(after.messages.map(({ role, sender }) => [role, sender])).toEqual(
      before.messages.map(({ role, sender }) => [role, sender]),
    )
    expect(after.messages.at(-1)?.metadata?.['parent_id']).toBe(after.messages[0]?.id)
  }
  expect(await second.cli(['verify'])).toMatchObject({ code: 0 })
})

test('what follows a JSON document and is none is kept, found and reported', async () => {
  const home = await openHome({})
  const path = join(home.directory('out'), 'torn.json')
  writeFileSync(
    path,
    '{"id":"torn","messages":[\n{"role":"user","content":"moored"}\n]}\n{"role":"user", "content": adrift\n',
  )
  const imported = await home.cli(['import', path])
  expect(imported.stdout).toMatch(/^generic +1 +0 +2 +0 +0 +1$/mu)
  const tools = await home.tools()
  expect(await tools.hits({ query: 'moored', context: 0 })).toEqual(['moored'])
})
