import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { words } from './support/bad-text.ts'
import { useHome } from './support/home.ts'
import type { Tools } from './support/tools.ts'

const home = useHome()
let tools: Tools

beforeAll(async () => {
  tools = await home.tools()
})

describe('large text', () => {
  const mebi = 1024 * 1024

  test.each<[string, string]>([
    ['1 MiB', 'abc '.repeat(mebi / 4)],
    ['just under 4 MiB', 'abc '.repeat(mebi - 1)],
    ['just over 4 MiB', 'abc '.repeat(mebi + 1)],
    ['8 MiB to the byte, quotes included', 'x'.repeat(8 * mebi - 2)],
    ['one word of 1 MiB', 'w'.repeat(mebi)],
    ['100,000 distinct words', words(100_000)],
    ['a million newlines', '\n'.repeat(1_000_000)],
    ['a million NULs', '\0'.repeat(1_000_000)],
  ])('%s is kept', async (name, content) => {
    const { session_id: sessionId, message_id: id } = await tools.save({ content, sender: 'Ada', session_id: name })
    const { contents } = await tools.client.readResource({ uri: `session://${sessionId}/messages/${id}` })
    const read: unknown = JSON.parse(contents.map((part) => ('text' in part ? part.text : '')).join(''))
    const message = z.object({ message: z.object({ content: z.string() }) }).parse(read).message
    expect(message.content.length).toBe(content.length)
    expect(message.content === content).toBe(true)
  })

  test('is searchable within its first part, and holds up nothing', async () => {
    await tools.save({ content: `needle ${words(50_000)}`, sender: 'Ada', session_id: 'large and found' })
    await expect.poll(async () => (await tools.search({ query: 'needle' })).degraded, { timeout: 60_000 }).toEqual([])
    expect((await tools.hits({ query: 'needle' }))[0]).toContain('needle')
  })

  test('beyond 8 MiB is refused by the limit, and a line beyond 10 MiB too, and the connection goes on', async () => {
    const refused = await tools.refusal('save_message', {
      content: 'x'.repeat(8 * mebi),
      sender: 'Ada',
      session_id: 'too large',
    })
    expect(refused).toContain('8388608')
    for (const size of [10 * mebi, 100 * mebi])
      await expect(
        tools.call('save_message', { content: 'x'.repeat(size), sender: 'Ada', session_id: 'too large' }),
      ).rejects.toMatchObject({
        message: expect.stringMatching(/must be <= 10485760: current value is \d{8,9}.*verbatim import/),
      })
    expect(await tools.refusal('get_session', { session_id: 'too large' })).toContain('No session')
  })
})

test('the server of all these went on without a complaint', async () => {
  await tools.save({ content: 'We decided on berth 14.', sender: 'Ada', session_id: 'after' })
  expect(await tools.hits({ query: '"We decided on berth 14"' })).toEqual(['We decided on berth 14.'])
  expect(home.complaints).toBe('')
})
