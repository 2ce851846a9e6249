import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test, vi } from 'vitest'
import { z } from 'zod'

import { outputOf } from './support/cli-output.ts'
import { useHome } from './support/home.ts'
import { sayInTurn } from './support/say-in-turn.ts'

// What is learned is waited for.
vi.setConfig({ testTimeout: 60_000 })

const home = useHome()

const listSchema = z.object({
  facts: z.array(
    z.object({
      id: z.string(),
      text: z.string(),
      said_by: z.string(),
      since: z.string(),
      until: z.string().optional(),
      followed_by: z.string().optional(),
    }),
  ),
})
const recallSchema = z.looseObject({ facts: z.array(z.looseObject({ text: z.string() })) })

async function listed(sender: string, ...args: readonly string[]) {
  const { facts } = listSchema.parse(
    JSON.parse(await outputOf(home, ['facts', 'list', '--json', '--limit', '500', ...args])),
  )
  return facts.filter(({ said_by: by }) => by === sender)
}

/** What holds of what somebody said, what was said last first. */
const holding = async (sender: string) => (await listed(sender)).map(({ text }) => text)

const learned = async (sender: string, count: number) => {
  await expect.poll(async () => await listed(sender, '--past'), { timeout: 30_000, interval: 100 }).toHaveLength(count)
}

const cities = ['Lisbon', 'Porto', 'Braga', 'Faro', 'Evora', 'Aveiro', 'Sines', 'Tomar']
const moves = cities.map((city) => `I live in ${city}.`)

test('of what was saved together without times the last holds', async () => {
  const tools = await home.toolsOfTest()
  await tools.saveAll({ messages: moves.map((content) => ({ content, sender: 'Ada', role: 'user' })) })
  const swaps = ['tabs over spaces', 'spaces over tabs', 'tabs over spaces', 'spaces over tabs']
  await tools.saveAll({ messages: swaps.map((content) => ({ content: `I prefer ${content}.`, sender: 'Ada' })) })
  await learned('Ada', cities.length + 2)
  expect(await holding('Ada')).toEqual(['I prefer spaces over tabs', 'I live in Tomar'])
  // Each was followed by the one that was said next.
  const past = await listed('Ada', '--past')
  const after = cities.map((city) => {
    const fact = past.find(({ text }) => text.endsWith(city))
    return past.find(({ id }) => id === fact?.followed_by)?.text.replace('I live in ', '')
  })
  expect(after).toEqual([...cities.slice(1), undefined])
  const { structured } = await tools.call('recall_context', {
    text: 'Does Ada live in Tomar, or still in Lisbon?',
    format: 'json',
  })
  const texts = recallSchema.parse(structured).facts.map(({ text }) => text)
  expect(texts.filter((text) => text.startsWith('I live'))).toEqual(['I live in Tomar'])
})

test('of what was imported without times, and of what one message says, the last holds', async () => {
  const file = join(home.directory('files'), 'moves.json')
  writeFileSync(file, JSON.stringify({ messages: moves.map((content) => ({ content, sender: 'Ben', role: 'user' })) }))
  const tools = await home.toolsOfTest()
  await outputOf(home, ['import', file])
  await tools.save({ sender: 'Cleo', content: moves.slice(0, 6).join(' ') })
  await learned('Ben', cities.length)
  await learned('Cleo', 6)
  expect(await holding('Ben')).toEqual(['I live in Tomar'])
  expect(await holding('Cleo')).toEqual(['I live in Aveiro'])
})

test('facts of one time are listed page by page, what was said last first', async () => {
  const tools = await home.toolsOfTest()
  const drinks = Array.from({ length: 130 }, (_, n) => `I prefer Drink${n}.`)
  await tools.saveAll({ messages: drinks.slice(0, 100).map((content) => ({ content, sender: 'Dora' })) })
  await tools.saveAll({ messages: drinks.slice(100).map((content) => ({ content, sender: 'Dora' })) })
  await expect
    .poll(() => outputOf(home, ['facts', 'list', '--past', '--json', '--limit', '500']), { timeout: 30_000 })
    .toContain('Drink129')
  const client = await home.connect()
  const pageSchema = z.object({
    facts: z.array(z.object({ text: z.string() })),
    next_cursor: z.string().optional(),
  })
  const found: string[] = []
  for (let uri: string | undefined = 'memory://profile'; uri !== undefined;) {
    const [content] = (await client.readResource({ uri })).contents
    const page = pageSchema.parse(JSON.parse(content !== undefined && 'text' in content ? content.text : ''))
    found.push(...page.facts.map(({ text }) => `${text}.`))
    uri = page.next_cursor === undefined ? undefined : `memory://profile?cursor=${page.next_cursor}`
  }
  expect(found.filter((text) => text.includes('Drink'))).toEqual(drinks.toReversed())
})

test.each([
  ['Eva', ['I live in Porto.', 'I no longer live in Porto.'], ['I no longer live in Porto']],
  ['Finn', ['I live in Porto.', 'I live in Madrid, no longer in Porto.'], ['I live in Madrid']],
  ['Gina', ['I live in Porto.', 'I moved: I live in Lisbon now.'], ['I live in Lisbon now']],
  ['Hugo', ['I work at Acme.', "I don't work at Acme any more."], ["I don't work at Acme any more"]],
  ['Ines', ['I work at Acme.', "I've left Acme and now work at Beta."], ["I've left Acme and now work at Beta"]],
  [
    'Jana',
    ['We decided to use Kafka for the queue.', 'We decided not to use Kafka for the queue.'],
    ['We decided not to use Kafka for the queue'],
  ],
  ['Kai', ['I prefer tabs over spaces.', 'I prefer spaces over tabs now.'], ['I prefer spaces over tabs now']],
  [
    'Lena',
    ['Never commit straight to main.', 'From now on, commit straight to main.'],
    ['From now on, commit straight to main'],
  ],
  [
    'Milo',
    ['I live in Porto.', 'I live in Lisbon.', 'I no longer live in Porto.'],
    ['I no longer live in Porto', 'I live in Lisbon'],
  ],
  [
    'Otto',
    ['Setting TIMEOUT=30 fixed the flaky test.', 'Setting TIMEOUT=30 did not fix the flaky test after all.'],
    ['Setting TIMEOUT=30 did not fix the flaky test after all'],
  ],
  [
    'Pia',
    ['We decided to use Redis for the login cache.', 'We decided to use Memcached for the login cache instead.'],
    ['We decided to use Memcached for the login cache instead'],
  ],
  ['Quin', ['I always use Firefox.', 'I never use Firefox.'], ['I never use Firefox']],
  ['Rosa', ['Always answer in French.', 'From now on, answer in English.'], ['From now on, answer in English']],
  [
    'Sven',
    ['Our team uses Jira.', 'Our team uses GitLab.', 'Our team uses Linear now.'],
    ['Our team uses Linear now', 'Our team uses GitLab'],
  ],
  ['Tara', ['Our API is written in Go.', 'Our API is written in Rust now.'], ['Our API is written in Rust now']],
  [
    'Uwe',
    ['I have two kids.', "I'm married.", 'I have three kids now.', "I'm divorced now."],
    ["I'm divorced now", 'I have three kids now'],
  ],
  ['Vera', ["I'm vegan.", 'I am no longer vegan.'], ['I am no longer vegan']],
])('what %s says later ends what it contradicts, and nothing else', async (sender, contents, holds) => {
  const tools = await home.toolsOfTest()
  await sayInTurn(tools, sender, contents)
  await learned(sender, contents.length)
  expect(await holding(sender)).toEqual(holds)
})

test('what ended and is said again holds since then, and what ended it does not', async () => {
  const tools = await home.toolsOfTest()
  const said = ['I use Vim.', 'I no longer use Vim.', 'I use Vim.', 'I no longer use Vim.', 'I use Vim.']
  await sayInTurn(tools, 'Nora', said.slice(0, 2))
  await learned('Nora', 2)
  expect(await listed('Nora', '--past')).toMatchObject([
    { text: 'I no longer use Vim', since: '2026-01-02T00:00:00.000Z' },
    { text: 'I use Vim', since: '2026-01-01T00:00:00.000Z', until: '2026-01-02T00:00:00.000Z' },
  ])
  await sayInTurn(tools, 'Nora', said)
  await expect.poll(() => holding('Nora'), { timeout: 30_000, interval: 100 }).toEqual(['I use Vim'])
  const [now, before] = await listed('Nora', '--past')
  expect(now).toMatchObject({ text: 'I use Vim', since: '2026-01-05T00:00:00.000Z' })
  expect(before).toMatchObject({
    text: 'I no longer use Vim',
    since: '2026-01-04T00:00:00.000Z',
    until: '2026-01-05T00:00:00.000Z',
    followed_by: now?.id,
  })
})

test('what ended holds again when what ended it is erased, and is not ended where it is pinned', async () => {
  const tools = await home.toolsOfTest()
  await sayInTurn(tools, 'Olga', ['I use Emacs.'])
  const saved = await tools.save({ sender: 'Olga', content: 'I no longer use Emacs.', session_id: 'Olga ends' })
  await learned('Olga', 2)
  const [, ended] = await listed('Olga', '--past')
  expect(await holding('Olga')).toEqual(['I no longer use Emacs'])
  await outputOf(home, ['facts', 'pin', ended?.id ?? ''])
  expect(await holding('Olga')).toEqual(['I use Emacs', 'I no longer use Emacs'])
  await outputOf(home, ['facts', 'unpin', ended?.id ?? ''])
  expect(await holding('Olga')).toEqual(['I no longer use Emacs'])
  await outputOf(home, ['erase', '--session', saved.session_id, '--reason', 'asked', '--yes'])
  expect(await holding('Olga')).toEqual(['I use Emacs'])
})
