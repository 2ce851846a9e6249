import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'
import { z } from 'zod'

import { outputOf } from './support/cli-output.ts'
import { useHome } from './support/home.ts'

const home = useHome()
/** So many that the engine would not answer in its 30 s where each was compared with each. */
const count = 3_000

const restricted = 'I prefer tea over coffee.'

test('thousands of facts are listed, and recalled by their words', { timeout: 240_000 }, async () => {
  const messages = Array.from({ length: count }, (_, n) => ({
    content: `I prefer Pattern${n} over Model${n % 100} for service${n}.`,
    sender: 'Ann',
    role: 'user',
    timestamp: new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString(),
  }))
  const file = join(home.directory('files'), 'preferences.json')
  writeFileSync(file, JSON.stringify({ session_id: 'preferences', messages }))
  const tools = await home.tools()
  await tools.save({ session_id: 'now', sender: 'Ann', content: 'Which pattern for service1234?' })
  await tools.save({ session_id: 'now', sender: 'Bob', content: restricted })
  await outputOf(home, ['import', file])
  // What is learned is learned in the background.
  await expect
    .poll(async () => await outputOf(home, ['facts', 'list', '--limit', '2']), { timeout: 120_000, interval: 1_000 })
    .toMatch(new RegExp(`^${count - 1} more: --limit$`, 'm'))
  // What is out of use is looked for among the places of all of them then.
  await outputOf(home, ['restrict', '--participant', 'Bob', '--reason', 'asked'])
  const { structured } = await tools.call('recall_context', {
    session_id: 'now',
    text: 'Shall I take Pattern1234 here?',
    format: 'json',
  })
  const { facts } = z.looseObject({ facts: z.array(z.looseObject({ text: z.string() })) }).parse(structured)
  expect(await outputOf(home, ['facts', 'list', '--limit', '2'])).toMatch(
    new RegExp(`^${count - 2} more: --limit$`, 'm'),
  )
  expect(facts.map(({ text }) => text)).toContain('I prefer Pattern1234 over Model34 for service1234')
})
