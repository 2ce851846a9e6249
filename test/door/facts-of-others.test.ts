import { expect, test, vi } from 'vitest'
import { z } from 'zod'

import { outputOf } from './support/cli-output.ts'
import { useHome } from './support/home.ts'
import { sayInTurn } from './support/say-in-turn.ts'

// What is learned is waited for.
vi.setConfig({ testTimeout: 60_000 })

const home = useHome()

const listSchema = z.object({ facts: z.array(z.object({ text: z.string(), said_by: z.string() })) })

/** What is known of what somebody said, what was said last first. */
async function known(sender: string, ...args: readonly string[]): Promise<string[]> {
  const { facts } = listSchema.parse(
    JSON.parse(await outputOf(home, ['facts', 'list', '--json', '--limit', '500', ...args])),
  )
  return facts.filter(({ said_by: by }) => by === sender).map(({ text }) => text)
}

test('what somebody passes on from others is not theirs, and ends nothing of it', async () => {
  const tools = await home.toolsOfTest()
  await sayInTurn(tools, 'Priya', [
    'My name is Priya Raman and I work at Bosch.',
    'Here is the mail I got from a customer:\n\nHi,\nmy name is Karen Smith and I work at Initech. I live in Texas.\nBest, Karen',
    'Reply to this customer:\n\nHello, my name is Joe Miller. I work at Initech. I live in Texas. Regards, Joe',
    'Can you summarise this email?\n\nDear team,\n\nMy name is Bob Stone. We decided to postpone the launch to May. Always use the VPN.',
    'Can you improve this text: My name is Oliver and I live in Leeds.',
    'Act like my grandma. My name is Gertrude.',
    'Hi, I live in Porto.\n\nHere is his bio:\n\nI am a photographer from Rome. I live in Rome.',
  ])
  // Messages are learned from in their order: what was said last shows that the rest was read.
  await expect.poll(() => known('Priya'), { timeout: 30_000, interval: 100 }).toContain('I live in Porto')
  expect((await known('Priya', '--past')).toSorted()).toEqual([
    'I live in Porto',
    'I work at Bosch',
    'My name is Priya Raman',
  ])
})

test('what is so now ends what was before, and what can both be so holds', async () => {
  const tools = await home.toolsOfTest()
  const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    [
      'Max',
      ['I live in Munich.', 'I moved to TypeScript last year.', 'I love rowing.'],
      ['I love rowing', 'I live in Munich'],
    ],
    ['Mia', ['I live in Munich.', 'I just moved to Hamburg last month.'], ['I just moved to Hamburg last month']],
    ['Ned', ['My favourite editor is Helix.', 'My favorite editor is now Zed.'], ['My favorite editor is now Zed']],
    ['Mara', ['My manager is called Elena.', 'My manager is now called Dmitri.'], ['My manager is now called Dmitri']],
    ['Tom', ['My name is Tom Miller.', 'Call me Tommy.'], ['Call me Tommy', 'My name is Tom Miller']],
    ['Uma', ['I was born in Kyoto.', "I'm from Brazil."], ["I'm from Brazil", 'I was born in Kyoto']],
  ]
  for (const [sender, contents] of cases) await sayInTurn(tools, sender, contents)
  for (const [sender, , holds] of cases)
    await expect.poll(() => known(sender), { timeout: 30_000, interval: 100 }).toEqual(holds)
})
