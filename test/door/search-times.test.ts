import { beforeAll, describe, expect, test } from 'vitest'

import { openHome, untilIndexed } from './support/archived.ts'
import { useHome } from './support/home.ts'
import { hitsOf, type Arguments, type Tools } from './support/tools.ts'

const home = useHome()
let tools: Tools

/** Noon of a day so many days ago, as who asks counts them. */
function noon(daysAgo: number): Date {
  const now = new Date()
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() - daysAgo, 12)
}

const topics = [
  'a kafka consumer',
  'the invoice layout',
  'the garden',
  'a login redirect',
  'the vacuum of postgres',
  'onboarding',
]
const said = (day: number) =>
  `Please look at ${topics[day % topics.length] ?? ''} once more, part ${'abcdefghij'[day % 10] ?? ''}`

/** What stands in the days before today: a session each, and ten that talk of days and dates. */
beforeAll(async () => {
  tools = await home.tools()
  for (let day = 1; day <= 40; day++) {
    const timestamp = noon(day).toISOString()
    await tools.saveAll({
      session_id: `day-${day}`,
      messages: [
        { content: said(day), sender: 'Ada', timestamp },
        { content: `Done with ${topics[day % topics.length] ?? ''}.`, sender: 'helper', role: 'assistant', timestamp },
      ],
    })
  }
  for (let at = 0; at < 10; at++) {
    await tools.save({
      session_id: `dates-${at}`,
      content: `We discuss how to show yesterday and last week, and 25 October of 2024, in calendar ${at}.`,
      sender: 'Ada',
      timestamp: noon(60 + at).toISOString(),
    })
  }
  await tools.save({
    session_id: 'october',
    content: 'The roof of the boat house leaks.',
    sender: 'Ada',
    timestamp: new Date(2024, 9, 25, 23, 30).toISOString(),
  })
})

/** The days of which a query finds messages as those of the time that it asks about, the latest first. */
async function daysFound(query: string): Promise<number[]> {
  await untilIndexed(home, tools)
  const days: number[] = []
  let cursor: string | undefined
  do {
    const page = await tools.search({ query, limit: 20, context: 0, ...(cursor === undefined ? {} : { cursor }) })
    for (const { hit, timestamp } of hitsOf(page)) {
      if (hit?.why['of_time'] !== true) continue
      days.push(Math.round((noon(0).getTime() - Date.parse(String(timestamp))) / 86_400_000))
    }
    cursor = page.next_cursor
  } while (cursor !== undefined)
  return [...new Set(days)].toSorted((a, b) => a - b)
}

function daysBetween(last: number, first: number): number[] {
  return Array.from({ length: first - last + 1 }, (_, index) => last + index)
}

describe('a query about a time and nothing else', () => {
  test.each([
    ['what did we discuss yesterday', 1],
    ['What happened yesterday?', 1],
    ['what was I working on 3 days ago', 3],
  ])('finds what was said then: %s', async (query, day) => {
    await untilIndexed(home, tools)
    const hits = await tools.hits({ query, context: 0 })
    expect(hits.slice(0, 2)).toEqual([said(day), `Done with ${topics[day % topics.length] ?? ''}.`])
  })

  test('finds what was said on a date, and says why', async () => {
    await untilIndexed(home, tools)
    const reply = await tools.search({ query: 'on 25 October 2024', context: 0 })
    const [first] = hitsOf(reply)
    expect(first).toMatchObject({
      text: 'The roof of the boat house leaks.',
      hit: { why: { of_time: true, terms: [] } },
    })
    const { text } = await tools.call('search_memory', { query: 'on 25 October 2024' })
    expect(text).toContain('hit 1, of the time that is asked about')
  })

  test('of a week finds each of its sessions', async () => {
    await untilIndexed(home, tools)
    const hits = await tools.hits({ query: 'what did we talk about last week', limit: 14, context: 0 })
    expect(hits).toEqual(expect.arrayContaining([7, 6, 5, 4, 3, 2, 1].map(said)))
  })

  test('of days until now finds each of their sessions', async () => {
    await untilIndexed(home, tools)
    const hits = await tools.hits({ query: 'what did we do in the last ten days', limit: 20, context: 0 })
    expect(hits).toEqual(expect.arrayContaining([9, 5, 1].map(said)))
  })

  test.each([
    ['en', (from, to) => `what did we discuss after ${from} and before ${to}`, daysBetween(21, 29)],
    ['en', (from, to) => `what did we discuss since ${from} and until ${to}`, daysBetween(20, 30)],
    ['en', (from, to) => `what did we discuss since ${from} until ${to}`, daysBetween(20, 30)],
    ['en', (from, to) => `what happened later than ${from} and earlier than ${to}?`, daysBetween(21, 29)],
    ['de', (from, to) => `was haben wir nach dem ${from} und vor dem ${to} besprochen`, daysBetween(21, 29)],
    ['fr', (from, to) => `de quoi avons-nous parlé après le ${from} et avant le ${to}`, daysBetween(21, 29)],
    ['es', (from, to) => `qué discutimos después del ${from} y antes del ${to}`, daysBetween(21, 29)],
  ] satisfies [string, (from: string, to: string) => string, number[]][])(
    'keeps to both bounds: %s %s',
    async (language, ask, days) => {
      const date = (daysAgo: number) =>
        noon(daysAgo).toLocaleDateString(language === 'en' ? 'en-GB' : language, { day: 'numeric', month: 'long' })
      expect(await daysFound(ask(date(30), date(20)))).toEqual(days)
    },
  )

  test.each([
    ['what did we discuss in the last 3 days', 3],
    ["qu'avons-nous discuté ces derniers jours ?", 3],
    ['de quoi avons-nous parlé ces 5 derniers jours', 5],
    ['de qué hablamos en los últimos 3 días', 3],
    ['qué hicimos en las últimas dos semanas', 14],
    ['was haben wir letzte drei Tage gemacht', 3],
    ['was haben wir in den letzten zwei Wochen besprochen', 14],
    ['o que discutimos nos últimos 3 dias', 3],
    ['di cosa abbiamo parlato negli ultimi tre giorni', 3],
    ['wat hebben we de afgelopen drie dagen besproken', 3],
  ])('finds what was said in a time until now: %s', async (query, first) => {
    expect(await daysFound(query)).toEqual(daysBetween(1, first))
  })

  test('keeps to the filters', async () => {
    await untilIndexed(home, tools)
    const hits = await tools.hits({ query: 'what did we discuss yesterday', roles: ['assistant'], context: 0 })
    expect(hits[0]).toBe(`Done with ${topics[1] ?? ''}.`)
    expect(hits).not.toContain(said(1))
  })
})

// At each moment it is another day at one of these than in UTC.
test.each(['Pacific/Kiritimati', 'Etc/GMT+12'])('what was said a moment ago is of today at %s', async (zone) => {
  const there = await openHome({ TZ: zone })
  const own = await there.tools()
  await own.save({ content: 'The sluice opens at nine.', sender: 'Ada' })
  await untilIndexed(there, own)
  const [hit] = hitsOf(await own.search({ query: 'what did we discuss today', context: 0 }))
  expect(hit).toMatchObject({ text: 'The sluice opens at nine.', hit: { why: { of_time: true } } })
})

describe('where much is of a time', () => {
  /** In letters, as a date of the query is not to find numbers. */
  const ferry = (at: number) =>
    `The ferry of pier ${String(at).replaceAll(/\d/g, (digit) => 'abcdefghij'[Number(digit)] ?? '')} was painted.`

  /** Messages of one time, each in a session of its own or all in one. */
  async function saveAt(own: Tools, texts: readonly string[], { daysAgo, session }: Arguments): Promise<void> {
    const timestamp = noon(Number(daysAgo)).toISOString()
    for (let at = 0; at < texts.length; at += 500) {
      const messages = texts.slice(at, at + 500).map((content) => ({ content, sender: 'Ada', timestamp }))
      await own.saveAll({ session_id: session, messages })
    }
  }

  test('the newest of more sessions than are looked at come first', async () => {
    const there = await openHome({})
    const own = await there.tools()
    const minute = (ago: number) => new Date(Date.now() - ago * 60_000).toISOString()
    for (let ago = 70; ago > 0; ago--)
      await own.save({ session_id: `m-${ago}`, content: ferry(ago), sender: 'Ada', timestamp: minute(ago) })
    await own.status()
    expect(await own.hits({ query: 'what happened in the last few days', limit: 5, context: 0 })).toEqual(
      [1, 2, 3, 4, 5].map(ferry),
    )
  })

  test('of words that much of other times says as well, what is of it is found', async () => {
    const there = await openHome({})
    const own = await there.tools()
    const told =
      'After lunch somebody told us at some length, and not for the first time, how the old ferry came to be red.'
    await saveAt(
      own,
      Array.from({ length: 100 }, () => 'The ferry again.').map((text, at) => `${text} ${at}`),
      { daysAgo: 40, session: 'few' },
    )
    await own.save({ session_id: 'told', content: told, sender: 'Ada', timestamp: noon(20).toISOString() })
    await untilIndexed(there, own)
    expect((await own.hits({ query: 'the ferry three weeks ago', context: 0 }))[0]).toBe(told)
  })

  test('also of words that are in more messages than are looked at', async () => {
    const there = await openHome({})
    const own = await there.tools()
    const many = (from: number) => Array.from({ length: 1_000 }, (_, at) => ferry(from + at))
    await saveAt(own, many(0), { daysAgo: 40, session: 'before' })
    await saveAt(own, [ferry(5_000)], { daysAgo: 20, session: 'then' })
    const others = Array.from({ length: 600 }, (_, at) => ferry(at).replace('ferry', 'apple'))
    await saveAt(own, others, { daysAgo: 20, session: 'others of that day' })
    await saveAt(own, many(6_000), { daysAgo: 2, session: 'after' })
    await untilIndexed(there, own)
    const date = noon(20).toLocaleDateString('en-GB', { day: 'numeric', month: 'long' })
    expect((await own.hits({ query: `the ferry on ${date}`, context: 0 }))[0]).toBe(ferry(5_000))
    // Of no message's time: the words alone count.
    expect((await own.hits({ query: 'the ferry 4500 years ago', context: 0 }))[0]).toContain('ferry')
    expect(await own.hits({ query: 'what happened 3000 years ago' })).toEqual([])
  })
})

test('a query that names a time and a topic finds the topic first', async () => {
  await untilIndexed(home, tools)
  expect((await tools.hits({ query: 'the boat house roof yesterday' }))[0]).toBe('The roof of the boat house leaks.')
})
