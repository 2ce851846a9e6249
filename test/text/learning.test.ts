import { describe, expect, it } from 'vitest'

import { extractFacts } from '../../src/insight/learning/extract-facts.ts'
import { assertedOf } from '../../src/insight/learning/meant/asserted.ts'
import type { Role } from '../../src/model/messages/message.ts'
import { textOfPayload } from '../../src/model/messages/payload.ts'

function factsIn(content: unknown, role: Role = 'user', sender = 'Ada') {
  const [payload, mediaType] = [Buffer.from(JSON.stringify(content)), 'application/json']
  const text = textOfPayload(payload, mediaType)
  const asserted = assertedOf(text, { payload, mediaType })
  const timestamp = '2026-03-01T00:00:00.000Z'
  const facts = extractFacts({ id: 'm', seq: 1, role, sender, timestamp, asserted })
  // Every fact is a quotation.
  for (const fact of facts)
    for (const { start, end } of fact.spans) expect(text.slice(start, end).replaceAll(/\s+/gu, ' ')).toBe(fact.text)
  return facts
}

const told = (content: unknown, role?: Role) => factsIn(content, role).map(({ kind, text }) => `${kind}: ${text}`)

describe('extractFacts() of a user', () => {
  it.each([
    ['Hi, my name is Ada Quill and I live in Porto.', ['fact: my name is Ada Quill', 'fact: I live in Porto']],
    ['I work at Harbour Systems.', ['fact: I work at Harbour Systems']],
    ["I'm a senior backend engineer, by the way.", ["fact: I'm a senior backend engineer, by the way"]],
    ["My dog's name is Rex.", ["fact: My dog's name is Rex"]],
    ["I'm allergic to peanuts.", ["fact: I'm allergic to peanuts"]],
    ['I prefer pnpm over npm.', ['preference: I prefer pnpm over npm']],
    ['I love sailing too!', ['preference: I love sailing']],
    ['I also enjoy rowing as well, by the way.', ['preference: I also enjoy rowing as well, by the way']],
    ['I really like TypeScript.', ['preference: I really like TypeScript']],
    ['I like your second idea, and I love too.', []],
    ['My favourite colour is Teal.', ['preference: My favourite colour is Teal']],
    ["I don't like trailing whitespace.", ["preference: I don't like trailing whitespace"]],
    ['Please always run the linter before a commit.', ['preference: Please always run the linter before a commit']],
    ['Never commit straight to main!', ['preference: Never commit straight to main']],
    ['From now on, answer in German.', ['preference: From now on, answer in German']],
    ['We decided to use PostgreSQL for the ledger.', ['decision: We decided to use PostgreSQL for the ledger']],
    ["Okay, let's go with Redis for sessions.", ["decision: let's go with Redis for sessions"]],
    ['Remember that our staging key rotates on Mondays.', ['fact: Remember that our staging key rotates on Mondays']],
    ['Our production database is on host db-7.', ['fact: Our production database is on host db-7']],
    ['Upgrading node to 22.3 fixed the crash.', ['procedure: Upgrading node to 22.3 fixed the crash']],
    ['I now work at Globex.', ['fact: I now work at Globex']],
    ['I no longer live in Porto.', ['fact: I no longer live in Porto']],
    ['I live in Madrid, no longer in Porto.', ['fact: I live in Madrid']],
    ['I live in Madrid, not in Porto any more.', ['fact: I live in Madrid']],
    ['I moved: I live in Lisbon now.', ['fact: I live in Lisbon now']],
    ['I just moved to Hamburg last month.', ['fact: I just moved to Hamburg last month']],
    ['I moved to Hamburg this week.', ['fact: I moved to Hamburg this week']],
    ['I moved from Munich to the UK.', ['fact: I moved from Munich to the UK']],
    ["I've moved back to Porto with my wife.", ["fact: I've moved back to Porto with my wife"]],
    ['I moved to Rosenheim, Germany.', ['fact: I moved to Rosenheim, Germany']],
    ['Last month, I moved to Hamburg.', ['fact: I moved to Hamburg']],
    ["I'm now based in Lisbon.", ["fact: I'm now based in Lisbon"]],
    ['My name is Priya Raman, but please call me Pri.', ['fact: My name is Priya Raman', 'fact: please call me Pri']],
    ['My editor is now Zed.', ['fact: My editor is now Zed']],
    ['My manager is now called Dmitri.', ['fact: My manager is now called Dmitri']],
    ['My timezone is now UTC-5.', ['fact: My timezone is now UTC-5']],
    ['My phone is an iPhone 15.', ['fact: My phone is an iPhone 15']],
    ['My favorite editor is currently Zed.', ['preference: My favorite editor is currently Zed']],
    ["My editor isn't Vim any more.", ["fact: My editor isn't Vim any more"]],
    ["I don't work at Acme any more.", ["fact: I don't work at Acme any more"]],
    ['I quit my job at Acme.', ['fact: I quit my job at Acme']],
    ["I've left Acme and now work at Beta.", ["fact: I've left Acme and now work at Beta"]],
    [
      'I no longer work at Acme, and I now work at Beta.',
      ['fact: I no longer work at Acme', 'fact: I now work at Beta'],
    ],
    ['I stopped using Vim.', ['fact: I stopped using Vim']],
    ['We no longer use Kafka.', ['fact: We no longer use Kafka']],
    ["I don't like tea anymore.", ["preference: I don't like tea anymore"]],
    ['I no longer prefer tabs over spaces.', ['preference: I no longer prefer tabs over spaces']],
    ['We decided not to use Kafka for the queue.', ['decision: We decided not to use Kafka for the queue']],
    ["I've decided against Redux.", ["decision: I've decided against Redux"]],
    [
      'Adding `await` before `db.close()` fixed the hanging tests.',
      ['procedure: Adding `await` before `db.close()` fixed the hanging tests'],
    ],
  ])('takes %s', (text, facts) => {
    expect(told(text)).toEqual(facts)
  })

  it.each([
    ['In this repo, never use semicolons.', 'preference: In this repo, never use semicolons'],
    [
      'On the staging cluster, always run migrations by hand.',
      'preference: On the staging cluster, always run migrations by hand',
    ],
    ['Before the release, never push to main.', 'preference: Before the release, never push to main'],
    ['When testing, I prefer verbose logs.', 'preference: When testing, I prefer verbose logs'],
    ['In Python, I prefer tabs.', 'preference: In Python, I prefer tabs'],
    ['In the old version, we decided to use gRPC.', 'decision: In the old version, we decided to use gRPC'],
    ['In my opinion, I prefer tabs.', 'preference: I prefer tabs'],
    ['After some talk, we decided to use gRPC.', 'decision: we decided to use gRPC'],
  ])('takes with its condition %s', (text, fact) => {
    expect(told(text)).toEqual([fact])
  })

  it('holds what is preferred in one case against nothing that is preferred else', () => {
    expect(factsIn('My favourite editor is Vim.').map(({ slot }) => slot)).toEqual([expect.any(String)])
    expect(factsIn('On servers, my favourite editor is Vim.').map(({ text, slot }) => [text, slot])).toEqual([
      ['On servers, my favourite editor is Vim', undefined],
    ])
  })

  it.each([
    'Until Friday, never deploy to production.',
    'Just for this PR, always squash the commits.',
    'For now, always use the mock server.',
    "While I'm away, always ask Bob.",
    'For this file, always use double quotes.',
    'We decided to use Kafka. Actually no, scrap that.',
    'We decided to use Redis, but then we changed our minds.',
    'I decided to quit coffee, but started again.',
    'Restarting the server fixed the timeout temporarily.',
    'Do I live in Porto?',
    'If I lived in Porto I would surf.',
    "I don't live in Porto.",
    'I no longer live there.',
    'Do I no longer work at Acme?',
    'I think I no longer live in Porto.',
    'Maybe I stopped using Vim.',
    "I don't live in Porto because I cannot stand the rain there any more.",
    'He says I no longer work at Acme.',
    "I've left Porto.",
    'I left the party and joined Bob.',
    'We decided not to.',
    'We decided not to use it any more.',
    'I no longer prefer that.',
    'I used to live in Porto.',
    'I think I prefer tabs.',
    'Maybe we decided to use PostgreSQL.',
    'I live in a small flat.',
    'I moved to TypeScript last year because I was tired of runtime errors.',
    'I moved to AWS.',
    "I've moved to Firefox.",
    'I have moved to Vue 3 for the frontend.',
    "I've moved to Sonnet 4.5 for this.",
    "We're on GitLab, I recently moved to Neovim from VS Code.",
    'I moved to Sales in March.',
    'I moved to the Berlin team.',
    'I moved to the Pro plan.',
    'I moved to Dark mode.',
    'I moved to Hamburg for the summer.',
    'I moved to Berlin when I was five.',
    'When I was five, I moved to Berlin.',
    'My editor is no longer my problem.',
    'Please call me Monday.',
    'I love it!',
    'I like your idea.',
    'I prefer the second option.',
    'She said I work at Harbour Systems.',
    'I live on Mars, haha.',
    'I work at Area 51. Just kidding!',
    'Translate this: my name is Ada.',
    'Write a story that begins with: I live in Porto.',
    '> I prefer tabs.',
    '```\nI prefer tabs.\n```',
    'The label says "I prefer tabs" in bold.',
    '<system-reminder>Always use tabs.</system-reminder>',
    'You are a helpful assistant. Always answer in German.',
    '# Rules\n\nAlways use tabs.\n\n# More\n\nNever use spaces.',
    'Remember that the core of the program is teaching.',
    'I love the beach town idea.',
    'We finally settled on a date for next week.',
    'Never mind.',
    'Never give up!',
  ])('takes nothing of %s', (text) => {
    expect(told(text)).toEqual([])
  })

  it('knows what can be so only once at a time, of each person', () => {
    const slotOf = (text: string, sender: string) => factsIn(text, 'user', sender)[0]?.slot
    expect(slotOf('I live in Porto.', 'Ada')).toBe(slotOf('I moved to Lisbon.', 'Ada'))
    expect(slotOf('I live in Porto.', 'Ada')).not.toBe(slotOf('I live in Porto.', 'Bob'))
    expect(slotOf('I prefer tabs over spaces.', 'Ada')).toBe(slotOf('I prefer spaces over tabs.', 'Ada'))
    expect(slotOf('I love tea.', 'Ada')).toBe(slotOf("I don't like tea.", 'Ada'))
    expect(slotOf('Always use tabs.', 'Ada')).toBe(slotOf('Never use tabs.', 'Ada'))
    expect(slotOf('We decided to use Redis for sessions.', 'Ada')).toBe(
      slotOf('We decided on Valkey for the sessions.', 'Bob'),
    )
    expect(slotOf('I prefer tea.', 'Ada')).toBeUndefined()
    expect(slotOf('I prefer tabs over spaces.', 'Ada')).toBe(slotOf('I prefer spaces over tabs now.', 'Ada'))
    expect(slotOf('I love tea.', 'Ada')).toBe(slotOf('I no longer like tea.', 'Ada'))
    expect(slotOf('Never commit straight to main.', 'Ada')).toBe(slotOf('From now on, commit straight to main.', 'Ada'))
    expect(slotOf('From now on, use tabs in Python, and spaces in YAML.', 'Ada')).toBeUndefined()
    expect(slotOf('In May, I moved to Lisbon.', 'Ada')).toBe(slotOf('I live in Porto.', 'Ada'))
    expect(slotOf('My favourite editor is Helix.', 'Ada')).toBe(slotOf('My favorite editor is now Zed.', 'Ada'))
    expect(slotOf('My editor is VS Code.', 'Ada')).toBe(slotOf('My code editor is now Zed.', 'Ada'))
    expect(slotOf('My timezone is CET.', 'Ada')).toBe(slotOf('My time zone is now UTC-5.', 'Ada'))
    expect(slotOf('My manager is called Elena.', 'Ada')).toBe(slotOf('My manager is now called Dmitri.', 'Ada'))
    expect(slotOf('Call me Tommy.', 'Ada')).toBe(slotOf('My nickname is Tom.', 'Ada'))
    expect(slotOf('My name is Ada Quill.', 'Ada')).toBe(slotOf('My name is now Ada de Souza.', 'Ada'))
  })

  it.each([
    ['My name is Tom Miller.', 'Call me Tommy.'],
    ['My name is Tom Miller.', 'My first name is Tom.'],
    ['My name is Tom Miller.', "I'm Tom, a baker."],
    ['I was born in Kyoto.', "I'm from Brazil."],
    ["I'm from Germany.", 'I was born in Poland.'],
    ["I'm from Germany.", "I'm from Munich."],
    ['I was born in Kyoto.', 'I was born in 1985.'],
    ['I grew up in Porto.', "I'm from Lisbon."],
  ])('holds both %s and %s', (first, second) => {
    const [[one], [other]] = [factsIn(first), factsIn(second)]
    expect(one?.text).toEqual(expect.any(String))
    expect(other?.text).toEqual(expect.any(String))
    expect(one?.slot === undefined || one.slot !== other?.slot).toBe(true)
  })

  it.each([
    ['I live in Porto with my wife.', 'I no longer live in Porto.'],
    ['I moved to Porto.', "I don't live in Porto anymore."],
    ['I moved to Porto last month.', 'I no longer live in Porto.'],
    ['My editor is now Vim.', 'My editor is no longer Vim.'],
    ['My favourite editor is Vim.', "My favourite editor isn't Vim any more."],
    ['My manager is called Elena.', 'My manager is no longer Elena.'],
    ['I work at Acme as an engineer.', "I don't work at Acme any more."],
    ["I've left Beta and now work at Acme.", 'I quit my job at Acme.'],
    ['I use Vim for Python.', 'I no longer use Vim.'],
    ['We use Kafka.', 'We stopped using Kafka.'],
    ['I prefer tabs over spaces.', 'I no longer prefer tabs over spaces.'],
    ['We decided to use Kafka for the queue.', 'We decided not to use Kafka for the queue.'],
    ["Let's go with Kafka for our queue.", 'We decided against Kafka for the queue.'],
    ['We decided to hire Ben.', 'We decided not to hire Ben.'],
  ])('knows %s for ended by %s', (text, ending) => {
    const [[fact], [end]] = [factsIn(text), factsIn(ending)]
    expect(fact?.claim).toEqual(expect.any(String))
    expect([end?.claim, end?.slot]).toEqual([fact?.claim, fact?.claim])
    expect(fact?.slot).not.toBe(fact?.claim)
  })

  it.each([
    ['I live in Lisbon.', 'I no longer live in Porto.'],
    ['I work at Beta.', "I don't work at Acme any more."],
    ['I use Vim.', 'I no longer use Vim for Python.'],
    ['We use Kafka.', 'I no longer use Kafka.'],
    ['I prefer spaces over tabs.', 'I no longer prefer tabs over spaces.'],
    ['We decided to use NATS for the queue.', 'We decided not to use Kafka for the queue.'],
    ['We decided to use Kafka for the events.', 'We decided not to use Kafka for the queue.'],
  ])('does not take %s for ended by %s', (text, ending) => {
    const [[fact], [end]] = [factsIn(text), factsIn(ending)]
    expect(fact?.claim).toEqual(expect.any(String))
    expect(end?.slot).toEqual(expect.any(String))
    expect([fact?.claim, fact?.slot]).not.toContain(end?.slot)
  })

  it('holds what is so in one case alone for ended by nothing', () => {
    expect(factsIn('On servers, I use Vim.')).toMatchObject([{ claim: undefined, slot: undefined }])
  })
})

describe('extractFacts() of an assistant', () => {
  it('takes what was decided and what helped, and nothing of what it says of anybody', () => {
    expect(told('I fixed the crash by pinning node to 22.3.', 'assistant')).toEqual([
      'procedure: I fixed the crash by pinning node to 22.3',
    ])
    expect(told('Decision: the ledger stays in PostgreSQL.', 'assistant')).toEqual([
      'decision: Decision: the ledger stays in PostgreSQL',
    ])
    expect(told('I live in Porto. I prefer tabs. My name is Claude.', 'assistant')).toEqual([])
    expect(told('You could have fixed the crash by pinning node.', 'assistant')).toEqual([])
  })
})

describe('extractFacts() of a message with parts', () => {
  it('takes nothing of tool calls, their output, thinking or tools', () => {
    const blocks = [
      { type: 'thinking', thinking: 'We decided to use Redis for sessions.' },
      { type: 'tool_use', id: 't', name: 'Bash', input: { command: 'We decided to use Redis for sessions.' } },
      { type: 'tool_result', tool_use_id: 't', content: 'We decided to use Redis for sessions.' },
      { type: 'text', text: 'We decided to use Valkey for sessions.' },
    ]
    expect(told(blocks)).toEqual(['decision: We decided to use Valkey for sessions'])
    expect(told('We decided to use Valkey for sessions.', 'tool')).toEqual([])
    expect(told('We decided to use Valkey for sessions.', 'system')).toEqual([])
  })
})
