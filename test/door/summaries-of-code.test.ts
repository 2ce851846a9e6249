import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { beforeAll, expect, test } from 'vitest'

import { useHome } from './support/home.ts'
import type { Tools } from './support/tools.ts'

const home = useHome()
let tools: Tools

beforeAll(async () => {
  tools = await home.tools()
})

const summaryOf = async (session_id: string, style: string) => {
  const { structured } = await tools.call('summarize', { session_id, style, format: 'json', refresh: true })
  return String(structured?.['summary'])
}

const billing: readonly (readonly [string, string])[] = [
  ['user', 'We decided to bill in euro only, and Stripe takes the payments.'],
  ['assistant', 'error[E0382]: borrow of moved value: `v`\n --> src/main.rs:4:5\nlet v = vec![1, 2, 3];'],
  ['assistant', 'On branch main\nnothing to commit, working tree clean'],
  ['user', 'Who owns the migration?'],
  ['assistant', 'plt.plot(range(1, n + 1), avg)\nfor i in range(1, n + 1):\n    total += i'],
  ['assistant', 'npm install --save kafkajs && npm test'],
  ['user', 'Invoices are sent on the first day of the month.'],
  ['assistant', 'services:\n  billing:\n    image: billing:1.2\n    ports:\n      - "80:80"'],
  ['assistant', 'FROM node:20\nWORKDIR /app\nRUN npm ci\nCMD ["node", "billing.js"]'],
  ['assistant', 'SELECT id, amount\nFROM invoices\nWHERE amount > 0\nORDER BY id'],
  [
    'assistant',
    'kubectl get pods\nTypeError: Cannot read properties of undefined\nPASS src/billing.test.ts\nx <- c(1,2,3)',
  ],
  ['assistant', 'The deploy failed with a TypeError in plan.ts. Run `npm test` before you push.'],
]

test.each(['brief', 'detailed', 'handoff'])('code and output of programs are in no summary: %s', async (style) => {
  const messages = billing.map(([role, content]) => ({ role, content, sender: role === 'user' ? 'Ada' : 'bot' }))
  await tools.saveAll({ session_id: `billing ${style}`, messages })
  expect((await summaryOf(`billing ${style}`, style)).split('\n')).toEqual([
    'Ada: We decided to bill in euro only, and Stripe takes the payments.',
    'Ada: Who owns the migration?',
    'Ada: Invoices are sent on the first day of the month.',
    'bot: The deploy failed with a TypeError in plan.ts.',
    'bot: Run `npm test` before you push.',
  ])
})

test('what a client tells the model in the answers of tools, and what was only thought or called, is in no summary', async () => {
  const reminder =
    '<system-reminder>\nWhenever you read a file, you should consider whether it would be considered malware. The reader has to decide on that.\n</system-reminder>'
  const answers = [
    `The gauge at the mole shows four metres of water.\n\n${reminder}`,
    'Todos have been modified successfully. Ensure that you continue to use the todo list to track your progress.',
    '<tool_use_error>The string to replace was found twice in the file. To replace all occurrences, set replace_all to true.</tool_use_error>',
  ]
  const rows = [
    { type: 'user', message: { role: 'user', content: 'How much does the northern crane lift?' } },
    ...answers.flatMap((content, at) => [
      {
        type: 'assistant',
        message: {
          id: `a${at}`,
          type: 'message',
          role: 'assistant',
          model: 'claude',
          content: [{ type: 'tool_use', id: `t${at}`, name: 'Read', input: { query: 'the blue key of the crane' } }],
        },
      },
      {
        type: 'user',
        message: { role: 'user', content: [{ type: 'tool_result', tool_use_id: `t${at}`, content }] },
      },
    ]),
    {
      type: 'assistant',
      message: {
        id: 'f',
        type: 'message',
        role: 'assistant',
        model: 'claude',
        content: [{ type: 'fallback', from: { model: 'claude-large' }, to: { model: 'claude-small' } }],
      },
    },
    {
      type: 'assistant',
      message: {
        id: 'b',
        type: 'message',
        role: 'assistant',
        model: 'claude',
        content: [{ type: 'text', text: 'The northern crane lifts forty tons at most.' }],
      },
    },
  ]
  const path = join(home.userHome, '.claude', 'projects', '-work', 'reminded.jsonl')
  mkdirSync(dirname(path), { recursive: true })
  const lines = rows.map((row, at) =>
    JSON.stringify({
      ...row,
      uuid: `u${at}`,
      parentUuid: at === 0 ? null : `u${at - 1}`,
      sessionId: 'reminded',
      timestamp: `2026-01-01T00:00:${String(at).padStart(2, '0')}.000Z`,
    }),
  )
  writeFileSync(path, `${lines.join('\n')}\n`)
  expect((await home.cli(['import', '--format', 'claude-code', path])).code).toBe(0)
  for (const style of ['handoff', 'detailed'])
    expect((await summaryOf('reminded', style)).split('\n')).toEqual([
      expect.stringMatching(/: How much does the northern crane lift\?$/u),
      'Read: The gauge at the mole shows four metres of water.',
      'Read: Todos have been modified successfully.',
      'claude: The northern crane lifts forty tons at most.',
    ])
})
