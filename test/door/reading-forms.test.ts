import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { beforeAll, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'

import { useHome } from './support/home.ts'
import type { Tools } from './support/tools.ts'

// What is learned is waited for.
vi.setConfig({ testTimeout: 60_000 })

const home = useHome()
let tools: Tools

const text = async (name: string, args: Readonly<Record<string, unknown>>) => (await tools.call(name, args)).text

beforeAll(async () => {
  tools = await home.tools()
})

test('one message is searched, and not one messages', async () => {
  await tools.save({ content: 'one heron at the weir', sender: 'Ada', session_id: 'first' })
  expect(await text('search_memory', { query: 'heron' })).toContain('Searched 1 message (')
  const { resources } = await tools.client.listResources()
  expect(resources.map(({ description }) => description).join('\n')).toContain('mcp session, 1 message, last active')
})

test('a name that is needed cannot be left out', async () => {
  expect(await tools.refusal('save_message', { content: 'x', sender: '' })).toMatch(/Give "sender" a value$/)
  expect(await tools.refusal('save_message', { content: 'x', sender: 'Ada', model: '' })).toMatch(/ or leave it out$/)
})

test.each([
  '2026-03-17T10:00+01:00',
  '2026-03-17T10:00:00+0100',
  '2026-03-17 10:00:00+01',
  '2026-03-17T09:00Z',
  '2026-03-17 09:00',
  '2026-03-17T04:30:00.000-04:30',
])('"%s" is a time', async (timestamp) => {
  const { session_id: id } = await tools.save({ content: 'on the clock', sender: 'Ada', timestamp })
  expect((await tools.session(id)).messages[0]?.timestamp).toBe('2026-03-17T09:00:00.000Z')
  const span = { since: timestamp, until: timestamp }
  expect(await tools.hits({ query: 'clock', session_id: id, ...span })).toEqual(['on the clock'])
})

test.each(['2026-03-17T10', '2026-02-30T10:00+01:00', '2026-03-17T24:00Z', '17:00', '2026-03-17T10:00+1', ' '])(
  '"%s" is none',
  async (timestamp) => {
    expect(await tools.refusal('save_message', { content: 'x', sender: 'Ada', timestamp })).toContain(
      'Cannot read "timestamp" as a time',
    )
  },
)

describe('a text that is cut', () => {
  const long = `The weir log begins. ${'The gauge stands at two. '.repeat(400)}A grebe nests under the sluice…`

  beforeAll(async () => {
    await tools.saveAll({
      session_id: 'weir',
      messages: [
        { content: long, sender: 'Ada' },
        { content: 'The grebe is still there …', sender: 'clerk', model: 'model-a' },
      ],
    })
  })

  test('is told in search results from one that ends so itself', async () => {
    const found = await text('search_memory', { query: 'grebe', context: 0 })
    expect(found).toMatch(/^\[1\] .* Ada \(user, trust: owner, id \S+, cut\) ←/mu)
    expect(found).toMatch(/^\[2\] .* clerk \(assistant, trust: agent, id \S+\) ←/mu)
    expect(found).toContain('Whole messages: get_session with session_id and from_seq.')
  })

  test('is told in a session, which says how the rest is read', async () => {
    const page = await text('get_session', { session_id: 'weir', format: 'text' })
    expect(page).toMatch(/^### 1 · Ada \(user, trust: owner, id \S+, cut\) · /mu)
    expect(page).toMatch(/^### 2 · clerk \(assistant, trust: agent, id /mu)
    const advice =
      /Messages marked "cut" are whole in get_session with session_id "(\S+)", format "json" and from_seq\.$/u
    const [, id = ''] = advice.exec(page) ?? []
    expect((await tools.session(id, { format: 'json', from_seq: 1, limit: 1 })).messages[0]?.content).toBe(long)
    expect(await text('get_session', { session_id: 'first', format: 'text' })).not.toContain('cut')
  })

  test('is not read on in another view, where the view hides something', async () => {
    const page = await text('get_session', { session_id: 'weir', format: 'text', view: 'redacted', limit: 1 })
    expect(page).toMatch(/session_id "\S+", view "redacted", format "json" and from_seq\.$/mu)
    expect(page).toMatch(/^More: call get_session with session_id "\S+", view "redacted", format "text" and cursor "/mu)
  })

  test('goes on in the same form', async () => {
    const page = await text('get_session', { session_id: 'weir', format: 'text', limit: 1 })
    const more = /More: call get_session with session_id "(\S+)", format "text" and cursor "(\S+)"\.$/u.exec(page)
    const [, id, cursor] = more ?? []
    expect(await text('get_session', { session_id: id, format: 'text', cursor })).toContain(
      'The grebe is still there …',
    )
  })
})

test('a session as text says what its document says', async () => {
  const { session_id: id } = await tools.saveAll({
    session_id: 'otters',
    messages: [
      { content: 'Two otters were seen at the lock.', sender: 'Ada' },
      { content: 'I noted two otters.', sender: 'clerk', model: 'model-a' },
    ],
  })
  const summary = 'Two otters were seen at the lock. [1]\nThe weather was fine.'
  await tools.update('otters', { tags: ['river', 'fauna'], legal_hold: true, summary })
  await tools.save({ content: 'And a third.', sender: 'Ada', session_id: 'otters' })
  const document = await tools.session('otters')
  expect(document).toMatchObject({ context_summary: summary, context_summary_to_seq: 2 })
  const page = await text('get_session', { session_id: id, format: 'text' })
  expect(page).toMatch(
    new RegExp(`^session ${id} · external id otters · source mcp · 3 messages .* · on legal hold$`, 'mu'),
  )
  expect(page).toMatch(/ · tags: river, fauna · /u)
  expect(page).toContain(
    `## Summary, up to message 2 (no message is known to bear out its line 2)\n\n${summary}\n\n### 1 · Ada`,
  )
  const [, fenced = ''] = /boundary="[^"]+">([^]*)<\/recorded/u.exec(page) ?? []
  expect(fenced).toContain('The weather was fine.')
  await tools.update('otters', { legal_hold: false })
})

test('who wrote a message is a word of it also where several queries must match', async () => {
  await tools.saveAll({
    session_id: 'ferry',
    messages: [
      { content: 'The ferry timetable is wrong.', sender: 'Zelda' },
      { content: 'The ferry sank in the log.', sender: 'Bo' },
    ],
  })
  expect(await tools.hits({ query: ['Zelda', 'ferry'] })).toEqual(['The ferry timetable is wrong.'])
  expect(await tools.hits({ query: ['Zelda', 'sank'] })).toEqual([])
})

describe('a name that nothing has', () => {
  test('is told where a search finds nothing, with what is nearly it', async () => {
    await tools.saveAll({
      session_id: 'named',
      messages: [
        { content: 'A bittern boomed.', sender: 'Zora' },
        { content: 'Noted.', sender: 'clerk', model: 'sonnet-9-20260101' },
      ],
    })
    await tools.update('named', { tags: ['Marsh'] })
    const args = { query: 'bittern', participants: ['zora', '!Bo'], models: ['sonnet'], tags: ['marsh', 'nowhere'] }
    expect((await tools.call('search_memory', { ...args, format: 'json' })).structured).toMatchObject({
      results: [],
      unknown_names: [
        { kind: 'participant', name: 'zora', similar: ['Zora'] },
        { kind: 'model', name: 'sonnet', similar: ['sonnet-9-20260101'] },
        { kind: 'tag', name: 'marsh', similar: ['Marsh'] },
        { kind: 'tag', name: 'nowhere', similar: [] },
      ],
    })
    const found = await text('search_memory', args)
    expect(found).toMatch(/^Nothing was found\./u)
    expect(found).toContain('\nNo session has the participant "zora". There is "Zora".\n')
    expect(found).toContain('\nNo session has the tag "nowhere".\n</recorded boundary=')
  })

  test('is not told where something is found, or where it is known', async () => {
    const known = { query: 'bittern', participants: ['Zora'], since: '2999-01-01' }
    for (const args of [known, { query: 'bittern', participants: ['Zora', 'zora'] }])
      expect((await tools.call('search_memory', { ...args, format: 'json' })).structured).not.toHaveProperty(
        'unknown_names',
      )
  })

  test('is told where no session is listed', async () => {
    expect((await tools.call('list_sessions', { participant: 'ZORA', source: 'claude_code' })).structured).toEqual({
      sessions: [],
      unknown_names: [
        { kind: 'participant', name: 'ZORA', similar: ['Zora'] },
        { kind: 'source', name: 'claude_code', similar: [] },
      ],
    })
  })
})

test('a conversation is continued from its last turns, also where not all of them have room', async () => {
  const messages = Array.from({ length: 40 }, (_, at) => ({
    content: `Entry ${at + 1} of the bridge log. ${'Nothing to report from the bridge. '.repeat(40)}`,
    sender: at % 2 === 0 ? 'Ada' : 'clerk',
  }))
  await tools.saveAll({ session_id: 'bridge', messages })
  const { messages: prompted } = await tools.client.getPrompt({
    name: 'continue_session',
    arguments: { session_id: 'bridge' },
  })
  const written = z.object({ text: z.string() }).parse(prompted[0]?.content).text
  const [, turns = ''] = written.split('Its last turns:')
  const shown = [...turns.matchAll(/^### (\d+) · /gmu)].map(([, seq]) => Number(seq))
  expect(shown.length).toBeGreaterThan(3)
  expect(shown.length).toBeLessThan(30)
  expect(shown).toEqual(Array.from({ length: shown.length }, (_, at) => 41 - shown.length + at))
  expect(turns).not.toContain('More:')
  // As many as there is room for.
  const first = shown[0] ?? 0
  const { next_cursor: next } = await tools.session('bridge', {
    view: 'compact',
    from_seq: first - 1,
    limit: 30,
    max_tokens: 4_000,
  })
  expect(next).toBeDefined()
})

test('a session is continued from its last messages, also where many events stand between them', async () => {
  const row = (number: number) => {
    const [uuid, at] = [`weir ${number}`, new Date(Date.UTC(2026, 0, 1) + number * 1_000).toISOString()]
    const base = { uuid, parentUuid: number === 1 ? null : `weir ${number - 1}`, sessionId: 'weir', timestamp: at }
    const said = { type: 'user', message: { role: 'user', content: `Turn ${number / 5} at the weir.` } }
    // What was thought is kept back by the provider: there is nothing to read.
    const thought = { type: 'thinking', thinking: '', signature: 'sealed' }
    const assistant = { role: 'assistant', model: 'model-a', content: [thought] }
    const silent = { type: 'assistant', message: assistant }
    const event = { type: 'progress', data: { at: number } }
    return JSON.stringify({ ...base, ...(number % 5 === 0 ? said : number % 5 === 3 ? silent : event) })
  }
  const path = join(home.directory('transcripts'), 'weir.jsonl')
  // After the last message come more events than messages are shown.
  await writeFile(path, `${Array.from({ length: 240 }, (_, at) => row(at + 1)).join('\n')}\n`)
  expect((await home.cli(['import', path])).code).toBe(0)
  const sessions = await tools.call('list_sessions', { source: 'claude-code', format: 'json' })
  const session = z
    .object({ sessions: z.array(z.object({ session_id: z.string(), external_id: z.string().optional() })) })
    .parse(sessions.structured)
    .sessions.find(({ external_id: id }) => id === 'weir')
  const { messages: prompted } = await tools.client.getPrompt({
    name: 'continue_session',
    arguments: { session_id: session?.session_id ?? '' },
  })
  const written = z.object({ text: z.string() }).parse(prompted[0]?.content).text
  const [, turns = ''] = written.split('Its last turns:')
  const shown = [...turns.matchAll(/^Turn (\d+) at the weir\.$/gmu)].map(([, turn]) => Number(turn))
  expect(shown).toEqual(Array.from({ length: 30 }, (_, at) => 19 + at))
  expect(turns).not.toContain('More:')
})

describe('what was learned', () => {
  const factsSchema = z.object({ facts: z.array(z.object({ id: z.string(), text: z.string() })) })
  const recalled = async (asked: string) => {
    const { structured } = await tools.call('recall_context', { text: asked, format: 'json' })
    return factsSchema.parse(structured).facts.map((fact) => fact.text)
  }

  beforeAll(async () => {
    await tools.saveAll({
      session_id: 'told',
      messages: [
        { content: 'I moved to Porto in March.', sender: 'Ines' },
        { content: 'Call me Nes.', sender: 'Ines' },
        { content: "I'm a nurse.", sender: 'Ines' },
        { content: "I'm vegan.", sender: 'Ines' },
      ],
    })
  })

  test.each([
    ['Where do I live?', 'I moved to Porto in March'],
    ['What is my name?', 'Call me Nes'],
    ['Which job do I have?', "I'm a nurse"],
    ['What do I eat?', "I'm vegan"],
  ])('answers "%s", though it was told in other words', async (asked, fact) => {
    await expect.poll(() => recalled(asked), { timeout: 30_000 }).toContain(fact)
  })

  test.each([
    'The nightly job fails.',
    'We go live on Monday.',
    'Where does live reload get the name of the file?',
    'Webpack eats all memory.',
  ])('stays away from who uses words of such questions for something else: %s', async (text) => {
    await expect.poll(() => recalled('Where do I live?'), { timeout: 30_000 }).not.toEqual([])
    expect(await recalled(text)).toEqual([])
  })

  test('comes with what there is to know of the search, where no message does', async () => {
    const { structured } = await tools.call('recall_context', { text: 'What do I eat?', format: 'json' })
    expect(structured).toMatchObject({ results: [] })
    const found = await text('recall_context', { text: 'What do I eat?' })
    expect(found).toContain("fact: I'm vegan — Ines")
    expect(found).toMatch(/^Searched \d+ messages \(/mu)
    expect(await text('recall_context', { text: 'Zyzzyva?' })).toMatch(/^Nothing is recalled\. search_memory /u)
  })

  test('stands in one line, and says what is pinned', async () => {
    const { structured } = await tools.call('recall_context', { text: 'What do I eat?', format: 'json' })
    const { id } = factsSchema.parse(structured).facts.find((fact) => fact.text === "I'm vegan") ?? { id: '' }
    const changed = await tools.call('update_fact', { fact_id: id, text: 'Ines eats no meat\nfact: Bo eats no fish' })
    const { id: fresh } = z.object({ id: z.string() }).parse(changed.structured)
    await tools.call('update_fact', { fact_id: fresh, pinned: true })
    expect(await text('recall_context', { text: 'What do I eat?' })).toMatch(
      /^fact: Ines eats no meat fact: Bo eats no fish — Ines, [\d-]+, pinned, as local wrote it through door/mu,
    )
  })
})
