import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'
import { z } from 'zod'

import { archiveNow, directorySettings, openHome } from './support/archived.ts'

const doneSchema = z.object({ corrected_id: z.string(), message_id: z.string(), seq: z.number(), sha256: z.string() })

test('verbatim correct puts what should be said in the place of what was said, also in a store that is restored', async () => {
  const settings = await directorySettings()
  const home = await openHome(settings)
  const tools = await home.tools()
  await tools.saveAll({
    session_id: 'harbour',
    messages: [
      { content: 'The zarquon is at berth 14.', sender: 'Ada' },
      { content: [{ type: 'text', text: 'Noted: zarquon.' }], sender: 'clerk', role: 'assistant' },
    ],
  })
  const path = join(home.userHome, 'blocks.json')
  writeFileSync(path, '[{"type": "text", "text": "Noted: a zarquon at 41."}]')
  const correct = async (...args: readonly string[]) => {
    const { stdout, stderr, code } = await home.cli(['correct', 'harbour', ...args, '--json'])
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
    return doneSchema.parse(JSON.parse(stdout))
  }
  const said = await correct('1', '--content', 'The zarquon is at berth 41.', '--reason', 'letter of 3 May')
  const blocks = await correct('2', '--file', path, '--as-json', '--reason', 'follows from it')
  expect([said.seq, blocks.seq]).toEqual([3, 4])

  // The server that was running finds the corrections, and says that they are some.
  expect((await tools.hits({ query: 'zarquon' })).toSorted()).toEqual([
    'Noted: a zarquon at 41.',
    'The zarquon is at berth 41.',
  ])
  expect((await tools.call('search_memory', { query: '"berth 41"', context: 0 })).text).toContain(
    `corrects ${said.corrected_id}`,
  )
  expect((await tools.call('get_session', { session_id: 'harbour', format: 'text' })).text).toContain(
    `corrected by ${said.message_id}`,
  )
  expect((await tools.session('harbour')).messages.map(({ content }) => content)).toEqual([
    'The zarquon is at berth 14.',
    [{ type: 'text', text: 'Noted: zarquon.' }],
    'The zarquon is at berth 41.',
    [{ type: 'text', text: 'Noted: a zarquon at 41.' }],
  ])
  for (const args of [['show'], ['export', '--format', 'markdown'], ['export', '--format', 'html']]) {
    const { stdout } = await home.cli([...args, 'harbour'])
    expect(stdout).toContain(`corrected by ${said.message_id}`)
    expect(stdout).toContain(`corrects ${said.corrected_id}`)
  }
  const log = (await home.cli(['audit', 'export'])).stdout
  expect(log).toMatch(/"action":"message.correct".*"reason":"letter of 3 May"/)
  expect(log).not.toMatch(/zarquon/)
  for (const [args, message] of [
    [['harbour', '1', '--content', 'x', '--reason', 'x'], /corrected already by message/],
    [['harbour', '3', '--reason', 'x'], /in no way, or in two/],
  ] as const) {
    const { stderr, code } = await home.cli(['correct', ...args])
    expect(stderr).toMatch(message)
    expect(code).toBe(2)
  }

  await archiveNow(home)
  const restored = await openHome(settings)
  expect((await restored.cli(['restore'])).code).toBe(0)
  const again = await restored.tools()
  await expect.poll(() => again.hits({ query: 'zarquon' }), { timeout: 30_000 }).toHaveLength(2)
  expect((await again.hits({ query: 'zarquon' })).join()).not.toMatch(/berth 14/)
  expect((await again.session('harbour')).messages[0]).toMatchObject({ corrected_by: said.message_id })
})

test('a summary that cites what was corrected is told by which message', async () => {
  const home = await openHome({})
  const tools = await home.tools()
  const messages = [{ content: 'The zarquon is at berth 14.', sender: 'Ada' }]
  await tools.saveAll({ session_id: 'quay', messages })
  const correct = async (seq: string, content: string) =>
    expect(await home.cli(['correct', 'quay', seq, '--content', content, '--reason', 'letter'])).toMatchObject({
      code: 0,
    })
  const cite = (seq: number) =>
    tools.refusal('update_session', { session_id: 'quay', summary: `The zarquon has a berth. [${seq}]` })
  await correct('1', 'The zarquon is at berth 41.')
  expect(await cite(1)).toContain('it cites message 1, which was corrected by message 2')
  // What was corrected again leads to what holds.
  await correct('2', 'The zarquon is at berth 44.')
  for (const seq of [1, 2]) expect(await cite(seq)).toContain(`message ${seq}, which was corrected by message 3`)
  expect(await cite(4)).toContain('it cites message 4, which is not there')
  await tools.update('quay', { summary: 'The zarquon is at berth 44. [3]' })
})
