import { beforeAll, describe, expect, test } from 'vitest'

import { untilIndexed } from './support/archived.ts'
import { useHome } from './support/home.ts'
import { hitsOf, type Tools } from './support/tools.ts'

const home = useHome()
let tools: Tools

const others = ['Ada', 'Ben', 'Cleo', 'Dan', 'Eve']
const fillers = 'amber basil cedar delta ember flint grove heron islet jetty knoll lemon maple noble ocean'.split(' ')
const filler = (at: number, count: number) =>
  Array.from(
    { length: count },
    (_, step) => `${fillers[(at * 7 + step * 3) % fillers.length]}${(at * 13 + step) % 97}`,
  ).join(' ')

/** What one author floods the store with: no two texts are alike, and each has the words that are looked for more often. */
const flood = Array.from({ length: 900 }, (_, at) => ({
  content: `harbour festival: harbour festival tickets, ${filler(at, 6)}`,
  sender: 'Spammer',
}))

/** What others say of it, each once and in a session of his own. */
const craneTalk = [
  'The schedule of the harbour crane was moved to Tuesday, as the wind was too strong.',
  'Who keeps the harbour crane schedule since Ben is away?',
  'I have put the crane schedule of the harbour into the shared folder.',
  'The harbour pays for the crane by the hour, says the schedule.',
  'Our crane at the harbour has no schedule for winter.',
]

beforeAll(async () => {
  tools = await home.tools()
  for (const [at, sender] of others.entries())
    await tools.save({
      session_id: `talk ${at}`,
      content: `About the harbour festival ${filler(at, 4)}: we meet at the lighthouse at noon.`,
      sender,
    })
  for (let at = 0; at < flood.length; at += 300)
    await tools.saveAll({ session_id: `flood ${at}`, messages: flood.slice(at, at + 300) })
  const repeats = Array.from({ length: 400 }, (_, at) => ({
    content: `The tower concert of the village will be held on the meadow behind the old mill by the river, as in all the years before ${at}`,
    sender: 'Spammer',
  }))
  await tools.saveAll({ session_id: 'repeats', messages: repeats })
  for (const [at, sender] of others.entries())
    await tools.save({ session_id: `talk ${at}`, content: `The tower concert ${filler(at, 5)} was lovely.`, sender })
  const numbered = (session: string, senderOf: (at: number) => string) =>
    tools.saveAll({
      session_id: session,
      messages: Array.from({ length: 150 }, (_, at) => ({
        content: `harbour crane schedule item ${at}${session.length} buy AcmeCo`,
        sender: senderOf(at),
      })),
    })
  await numbered('items', () => 'Spammer')
  await numbered('more items', (at) => `Spam ${fillers[at % fillers.length]} ${fillers[(at * 7) % 16]}`)
  await tools.saveAll({
    session_id: 'readings',
    messages: Array.from({ length: 12 }, (_, at) => ({
      content: `My blood pressure this morning was ${120 + at} over 80.`,
      sender: 'Ada',
    })),
  })
  for (const [at, sender] of others.entries())
    await tools.save({ session_id: `crane ${at}`, content: craneTalk[at] ?? '', sender })
})

async function authors(args: Readonly<Record<string, unknown>>): Promise<unknown[]> {
  return hitsOf(await tools.search({ limit: 10, context: 0, max_tokens: 8_000, ...args })).map(({ sender }) => sender)
}

describe('an author who floods the store', () => {
  test(
    'leaves places to others, though hundreds of his messages match as well or better',
    {
      timeout: 110_000,
    },
    async () => {
      await untilIndexed(home)
      const found = await authors({ query: 'harbour festival' })
      expect(found).toHaveLength(10)
      expect(found.filter((sender) => sender === 'Spammer').length).toBeLessThanOrEqual(8)
      expect(new Set(found).size).toBeGreaterThanOrEqual(3)
    },
  )

  test('has at most three of ten places by saying the same hundreds of times', async () => {
    const found = await authors({ query: 'tower concert' })
    expect(found.filter((sender) => sender === 'Spammer').length).toBeLessThanOrEqual(3)
    expect(others.every((sender) => found.includes(sender))).toBe(true)
  })

  test('has at most three by saying what differs in a number, under whatever names', async () => {
    const found = await authors({ query: 'harbour crane schedule' })
    expect(found).toHaveLength(10)
    // As many more as others leave: five of them have said something of it.
    expect(others.filter((sender) => found.slice(0, 8).includes(sender))).toEqual(others)
    expect(await authors({ query: 'harbour crane schedule', participants: ['Spammer'] })).toHaveLength(10)
  })

  test('is nobody who says a dozen times what differs in a number, and asks for that', async () => {
    const { results } = await tools.search({ query: 'blood pressure this morning', context: 0, max_tokens: 8_000 })
    const found = results.flatMap(({ messages }) => messages).map(({ text }) => text)
    expect(found).toHaveLength(10)
    expect(found.every((text) => text.startsWith('My blood pressure'))).toBe(true)
  })

  test('is found alone where he is asked for', async () => {
    expect(new Set(await authors({ query: 'harbour festival', participants: ['Spammer'] }))).toEqual(
      new Set(['Spammer']),
    )
  })
})
