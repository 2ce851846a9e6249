import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { sharedData } from '../support/shared-data.ts'
import { attacks, badTexts } from './support/bad-text.ts'
import { useHome } from './support/home.ts'
import type { Arguments, ToolResult, Tools } from './support/tools.ts'

const home = useHome()
let tools: Tools

beforeAll(async () => {
  tools = await home.tools()
  await tools.saveAll({
    session_id: 'ok',
    messages: [{ content: 'We decided on berth 14.', sender: 'Ada', message_id: 'm' }],
  })
})

// Whatever a test sent, the same server goes on.
afterEach(async () => {
  const found = await tools.hits({ query: '"We decided on berth 14"' })
  if (found.join() !== 'We decided on berth 14.') throw new Error(`The next call found ${JSON.stringify(found)}`)
  if (home.stderr !== '') throw new Error(`The server complained: ${home.stderr.slice(0, 500)}`)
})

/** What no reply to a caller may hold: where the program is, its stack, its SQL, a defect. */
const leak =
  /\n\s+at |node_modules|\.[jt]s:\d|\/verbatim-door-|internal error|syntax error|violates|invalid byte sequence|PostgresError/

/** Error replies that gave something away, or did not say what is wrong. */
const poorErrors: string[] = []

/** Calls a tool with something bad: the reply is a result, or an error that says what is wrong and gives nothing away. */
async function attempt(tool: string, args: Arguments): Promise<ToolResult> {
  const result = await tools.call(tool, args)
  if (result.isError && (leak.test(result.text) || result.text.length < 10)) poorErrors.push(`${tool}: ${result.text}`)
  return result
}

/** Every place of every tool where a caller writes text of its own. */
const textFields: readonly (readonly [string, (text: string) => Arguments])[] = [
  ['save_message', (text) => ({ content: 'x', sender: text })],
  ['save_message', (text) => ({ content: 'x', sender: 'Ada', session_id: text })],
  ['save_message', (text) => ({ content: 'x', sender: 'Ada', session_id: 'ids', message_id: text })],
  ['save_message', (text) => ({ content: 'x', sender: 'Ada', session_id: 'ids', parent_id: text })],
  ['save_message', (text) => ({ content: 'x', sender: 'Ada', session_id: 'ids', model: text, tool_call_id: text })],
  ['save_message', (text) => ({ content: 'x', sender: 'Ada', session_id: 'ids', tools_used: [text] })],
  ['save_message', (text) => ({ content: 'x', sender: 'Ada', session_id: 'ids', timestamp: text })],
  ['save_message', (text) => ({ content: 'x', sender: 'Ada', session_id: 'ids', role: text })],
  ['save_messages', (text) => ({ session_id: 'ids', messages: [{ content: 'x', sender: text, message_id: text }] })],
  ['get_session', (text) => ({ session_id: text })],
  ['get_session', (text) => ({ session_id: 'ok', cursor: text })],
  ['list_sessions', (text) => ({ participant: text, model: text, source: text, tag: text })],
  ['list_sessions', (text) => ({ since: text })],
  ['list_sessions', (text) => ({ cursor: text })],
  ['search_memory', (text) => ({ query: text })],
  ['search_memory', (text) => ({ query: ['berth', text] })],
  ['search_memory', (text) => ({ query: 'berth', session_id: text })],
  [
    'search_memory',
    (text) => ({ query: 'berth', participants: [text], models: [text], tools_used: [text], tags: [text] }),
  ],
  ['search_memory', (text) => ({ query: 'berth', cursor: text })],
  ['search_memory', (text) => ({ query: 'berth', until: text })],
  ['summarize', (text) => ({ session_id: text })],
  ['summarize', (text) => ({ session_id: 'ok', since: text, style: text })],
  ['update_session', (text) => ({ session_id: text, title: 'x' })],
  ['update_session', (text) => ({ session_id: 'ids', title: text })],
  ['update_session', (text) => ({ session_id: 'ids', tags: [text] })],
  ['update_session', (text) => ({ session_id: 'ids', summary: text, model: text })],
]

/** Saves contents in batches and reads them back, as the JSON that they were. */
async function keep(sessionId: string, contents: readonly unknown[]): Promise<string[]> {
  for (let at = 0; at < contents.length; at += 500) {
    const messages = contents.slice(at, at + 500).map((content) => ({ content, sender: 'Ada' }))
    await tools.saveAll({ session_id: sessionId, messages })
  }
  const kept = await tools.allMessages(sessionId, { limit: 500, max_tokens: 25_000 })
  const whole = new Map<number, string>()
  for (const { seq, content, content_part: part } of kept)
    whole.set(seq, (whole.get(seq) ?? '') + (part?.text ?? JSON.stringify(content)))
  return [...whole.values()]
}

const jsonOf = (contents: readonly unknown[]) => contents.map((content) => JSON.stringify(content))

const words = (count: number) => Array.from({ length: count }, (_, at) => `w${at.toString(36)}x`).join(' ')

describe('text', () => {
  test('of every kind is kept, in content and as a member of blocks', async () => {
    const texts = badTexts.map(([, text]) => text)
    const contents = [...texts, ...attacks, ...texts.map((text) => [{ type: 'text', text, [text]: text }])]
    expect(await keep('texts', contents)).toEqual(jsonOf(contents))
  })

  test('of every kind in every field is taken or refused by name', async () => {
    await tools.save({ content: 'x', sender: 'Ada', session_id: 'ids' })
    for (const [, text] of badTexts) await Promise.all(textFields.map(([tool, args]) => attempt(tool, args(text))))
    expect(poorErrors).toEqual([])
  })

  test('in a title, a tag, a summary and metadata comes back as it went in, or is refused', async () => {
    await tools.save({ content: 'x', sender: 'Ada', session_id: 'fields' })
    for (const [, text] of badTexts) {
      const { isError } = await attempt('update_session', { session_id: 'fields', title: text, summary: text })
      const session = await tools.session('fields')
      const summary = text.split('\n').filter((line) => line.trim().length > 0)
      const unchanged = session.title === text && session.context_summary === summary.join('\n')
      expect(isError || unchanged ? [] : [text, session.title, session.context_summary]).toEqual([])
      const saved = await tools.save({ content: 'x', sender: 'Ada', session_id: `meta`, metadata: { [text]: text } })
      const message = (await tools.session('meta', { from_seq: saved.seq })).messages.at(0)
      expect(message?.metadata?.['own']).toEqual({ [text]: text })
    }
  })

  test.skipIf(sharedData('fuzz/blns/blns.json') === undefined)(
    'of the 515 naughty strings is kept and can be searched for',
    async () => {
      const strings = z
        .array(z.string())
        .parse(JSON.parse(readFileSync(sharedData('fuzz/blns/blns.json') ?? '', 'utf8')))
      expect(strings.length).toBeGreaterThan(500)
      expect(await keep('naughty', strings)).toEqual(jsonOf(strings))
      for (let at = 0; at < strings.length; at += 20) {
        const some = strings.slice(at, at + 20)
        await Promise.all(some.map((text) => attempt('search_memory', { query: text, limit: 1, context: 0 })))
        const named = (text: string) => ({ sender: text, message_id: text, metadata: { [text]: text } })
        await Promise.all(
          some.map((text) => attempt('save_message', { content: text, session_id: 'naughty names', ...named(text) })),
        )
      }
      expect(poorErrors).toEqual([])
    },
  )
})

describe('text that is too long', () => {
  test('in a query, an id, a title or metadata is refused by the limit', async () => {
    for (const [tool, args, limit] of [
      ['search_memory', { query: 'word '.repeat(10_000) }, '10000'],
      ['get_session', { session_id: 'x'.repeat(10_240) }, '200'],
      ['save_message', { content: 'x', sender: 'Ada', session_id: 'y'.repeat(201) }, '200'],
      ['save_message', { content: 'x', sender: 'y'.repeat(201) }, '200'],
      ['save_message', { content: 'x', sender: 'Ada', session_id: 'ok', message_id: 'y'.repeat(201) }, '200'],
      ['save_message', { content: 'x', sender: 'Ada', metadata: { a: 'y'.repeat(70_000) } }, '65536'],
      ['update_session', { session_id: 'ok', title: 'y'.repeat(1_001) }, '1000'],
      ['update_session', { session_id: 'ok', tags: Array.from({ length: 51 }, (_, at) => `t${at}`) }, '50'],
      ['update_session', { session_id: 'ok', summary: 'y'.repeat(100_001) }, '100000'],
    ] as const) {
      const text = await tools.refusal(tool, args)
      expect(text).toContain(limit)
      expect(text.length).toBeLessThan(400)
    }
  })
})

describe('JSON', () => {
  const deep = (depth: number): unknown => {
    let value: unknown = 'bottom'
    for (let at = 0; at < depth; at++) value = [value]
    return value
  }

  test('of odd keys and values is kept', async () => {
    const contents: unknown[] = [
      JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1, "toString": null, "hasOwnProperty": []}'),
      { '': '', ' ': ' ', '\0': '\0', '\ud800': '\udfff' },
      [[], {}, [[]], [{}], null, false, ''],
      [Number.MAX_SAFE_INTEGER, Number.MIN_VALUE, Number.MAX_VALUE, -1e-300, 1e21],
      Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => [`key ${at}`, at])),
      deep(1_000),
    ]
    expect(await keep('json', contents)).toEqual(jsonOf(contents))
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  })

  test('that nests too deeply for the platform is refused or kept', async () => {
    await attempt('save_message', { content: deep(4_000), sender: 'Ada' })
    await attempt('save_message', { content: 'x', sender: 'Ada', metadata: { deep: deep(4_000) } })
    expect(poorErrors).toEqual([])
  })

  test('with a member called __proto__ in metadata is kept', async () => {
    const metadata: unknown = JSON.parse('{"__proto__": {"a": 1}, "b": 2}')
    const { session_id: id } = await tools.save({ content: 'x', sender: 'Ada', metadata })
    const message = (await tools.session(id)).messages.at(0)
    expect(JSON.stringify(message?.metadata?.['own'])).toBe('{"__proto__":{"a":1},"b":2}')
  })

  test('of a wrong type in any field is refused by the field’s name, and nothing is saved', async () => {
    const wrong: readonly unknown[] = [5, true, [], {}, 'text', [[1]], { a: 1 }]
    const fields: Readonly<Record<string, readonly string[]>> = {
      save_message: [
        'sender',
        'role',
        'session_id',
        'message_id',
        'timestamp',
        'model',
        'tokens',
        'tools_used',
        'parent_id',
        'metadata',
      ],
      get_session: ['from_seq', 'limit', 'max_tokens', 'view', 'format', 'cursor'],
      list_sessions: ['participant', 'since', 'open', 'limit', 'cursor'],
      search_memory: [
        'query',
        'limit',
        'max_tokens',
        'mode',
        'participants',
        'roles',
        'since',
        'context',
        'format',
        'cursor',
      ],
      summarize: ['from_seq', 'since', 'style', 'max_tokens', 'refresh', 'format'],
      update_session: ['closed', 'title', 'tags', 'restricted', 'legal_hold', 'summary'],
    }
    const valid: Readonly<Record<string, Arguments>> = {
      save_message: { content: 'x', sender: 'Ada', session_id: 'wrong types' },
      get_session: { session_id: 'ok' },
      list_sessions: {},
      search_memory: { query: 'berth' },
      summarize: { session_id: 'ok' },
      update_session: { session_id: 'wrong types', title: 'x' },
    }
    const mentioned: string[] = []
    for (const [tool, names] of Object.entries(fields)) {
      for (const name of names) {
        for (const value of wrong) {
          const { isError, text } = await attempt(tool, { ...valid[tool], [name]: value })
          if (isError && !text.includes(name)) mentioned.push(`${tool}.${name}: ${text}`)
        }
      }
    }
    expect(mentioned).toEqual([])
  })

  test('null counts as absent, and what is required is asked for by name', async () => {
    const nulls = {
      role: null,
      session_id: null,
      message_id: null,
      model: null,
      tokens: null,
      tools_used: null,
      metadata: null,
    }
    expect(await tools.save({ content: null, sender: 'Ada', ...nulls })).toMatchObject({ seq: 1 })
    expect(
      (await tools.saveAll({ messages: [{ content: null, sender: 'Ada', ...nulls, timestamp: 1_740_823_200 }] }))
        .messages,
    ).toHaveLength(1)
    for (const [tool, missing] of [
      ['save_message', 'sender'],
      ['save_messages', 'messages'],
      ['get_session', 'session_id'],
      ['search_memory', 'query'],
      ['summarize', 'session_id'],
      ['update_session', 'session_id'],
    ] as const) {
      expect(await tools.refusal(tool, {})).toContain(missing)
      expect(await tools.refusal(tool, { [missing]: null })).toContain(missing)
    }
    expect(await tools.refusal('save_message', { sender: 'Ada' })).toContain('content')
  })
})

describe('identity', () => {
  test.each([
    'nowhere',
    '00000000-0000-7000-8000-000000000000',
    '00000000-0000-7000-8000-00000000000',
    'FFFFFFFF-FFFF-7FFF-BFFF-FFFFFFFFFFFF',
    '../../etc/passwd',
    "x' or '1'='1",
    'null',
    'undefined',
    '%',
    '_',
    '*',
    '{"$ne": null}',
  ])('the unknown session "%s" is refused by every tool, and may be a caller’s own id', async (id) => {
    for (const [tool, args] of [
      ['get_session', {}],
      ['summarize', {}],
      ['update_session', { closed: true }],
      ['search_memory', { query: 'berth' }],
    ] as const)
      expect(await tools.refusal(tool, { session_id: id, ...args })).toContain(`No session "${id}"`)
    const saved = await tools.save({ content: id, sender: 'Ada', session_id: id, message_id: id })
    expect(saved).toMatchObject({ external_id: id, seq: 1 })
    expect((await tools.session(id)).messages).toMatchObject([{ content: id }])
    expect((await tools.session(saved.session_id.toUpperCase())).messages).toMatchObject([{ content: id }])
  })

  test('cursors that were altered, or belong to another list or session, are refused', async () => {
    const messages = Array.from({ length: 5 }, (_, at) => ({ content: `lemur ${at}`, sender: 'Ada' }))
    await tools.saveAll({ session_id: 'pages', messages })
    const session = (await tools.session('pages', { limit: 1 })).next_cursor ?? ''
    const list = (await tools.list({ limit: 1 })).next_cursor ?? ''
    const search = (await tools.search({ query: 'lemur', limit: 1 })).next_cursor ?? ''
    const altered = (cursor: string) =>
      Buffer.from(Buffer.from(cursor, 'base64url').toString().replaceAll(/\d/g, 'x')).toString('base64url')
    const negative = Buffer.from('{"kind":"session","session":"x","seq":-1,"offset":1e99}').toString('base64url')
    for (const [tool, args, own] of [
      ['get_session', { session_id: 'pages' }, session],
      ['list_sessions', {}, list],
      ['search_memory', { query: 'lemur' }, search],
    ] as const) {
      const others = [session, list, search].filter((cursor) => cursor !== own)
      for (const cursor of [...others, altered(own), own.slice(0, -4), `${own}x`, 'x', '[]', negative]) {
        const { isError, text } = await attempt(tool, { ...args, cursor })
        // A character more or less may leave the cursor what it was; nothing else may be taken.
        if (!cursor.startsWith(own) && !isError) throw new Error(`${tool} took the cursor "${cursor}": ${text}`)
      }
    }
    expect(await tools.refusal('get_session', { session_id: 'ok', cursor: session })).toContain('cursor')
  })
})

describe('numbers and times', () => {
  test.each([0, -1, 1.5, 1e9, 'Infinity', '-5', '1e3', 'ten', '0x10', '', Number.MAX_SAFE_INTEGER])(
    '%s as a bound is refused or taken for what it is',
    async (value) => {
      for (const [tool, args] of [
        ['get_session', { session_id: 'ok', limit: value }],
        ['get_session', { session_id: 'ok', max_tokens: value }],
        ['get_session', { session_id: 'ok', from_seq: value }],
        ['list_sessions', { limit: value }],
        ['search_memory', { query: 'berth', limit: value }],
        ['search_memory', { query: 'berth', context: value }],
        ['summarize', { session_id: 'ok', from_seq: value }],
        ['summarize', { session_id: 'ok', max_tokens: value }],
        ['save_message', { content: 'x', sender: 'Ada', session_id: 'counts', tokens: { input: value } }],
      ] as const)
        await attempt(tool, args)
      expect(await tools.refusal('search_memory', { query: 'x', limit: -1 })).toContain('limit')
    },
  )

  test('numbers as strings are numbers, and a place beyond the end is empty', async () => {
    expect((await tools.session('ok', { limit: '10', from_seq: '1' })).messages).toHaveLength(1)
    expect((await tools.session('ok', { from_seq: 1e9 })).messages).toEqual([])
  })

  test.each<[unknown, string | undefined]>([
    ['2025-03-01T10:00:00Z', '2025-03-01T10:00:00.000Z'],
    ['2025-03-01T10:00:00', '2025-03-01T10:00:00.000Z'],
    ['2025-03-01T10:00:00.123456+05:45', '2025-03-01T04:15:00.123Z'],
    ['2025-03-01', '2025-03-01T00:00:00.000Z'],
    ['0100-01-01', '0100-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
    [1_740_823_200, '2025-03-01T10:00:00.000Z'],
    [1_740_823_200_123, '2025-03-01T10:00:00.123Z'],
    ['1740823200', '2025-03-01T10:00:00.000Z'],
    ['2036-11-25', '2036-11-25T00:00:00.000Z'],
    ['0000-01-01', undefined],
    ['0099-12-31', undefined],
    ['275760-09-14', undefined],
    ['2025-02-29', undefined],
    ['2025-13-01', undefined],
    ['2025-03-01T25:00:00Z', undefined],
    ['2025-03-01T10:00:00+25:00', undefined],
    ['01.03.2025', undefined],
    ['yesterday', undefined],
    [-1, undefined],
    [1e18, undefined],
    ['', undefined],
  ])('the time %j is %j', async (timestamp, expected) => {
    const { isError, text, structured } = await attempt('save_message', { content: 'x', sender: 'Ada', timestamp })
    const id = String(structured?.['session_id'])
    expect(isError ? undefined : (await tools.session(id)).messages[0]?.timestamp).toBe(expected)
    expect(isError ? text : 'timestamp ISO 8601').toMatch(/timestamp.*ISO 8601/s)
  })

  test('an end before its beginning is refused, or finds nothing', async () => {
    const stretch = { since: '2025-02-01', until: '2025-01-01' }
    expect(await tools.refusal('search_memory', { query: 'berth', ...stretch })).toContain('since')
    expect(await tools.refusal('summarize', { session_id: 'ok', from_seq: 2, to_seq: 1 })).toContain('2 to 1')
    expect((await tools.list(stretch)).sessions).toEqual([])
  })
})

describe('queries', () => {
  test.each<[string, string]>([
    ['function words', 'the of and'],
    ['function words of German', 'was ist das'],
    ['punctuation', '?!.,;:()[]{}<>/\\|'],
    ['SQL', "'; DROP TABLE messages; --"],
    ['operators of a text search', '& | ! <-> :* foo:bar*'],
    ['a quote without its partner', '"unbalanced'],
    ['quotes that do not match', '“mixed" „quotes«'],
    ['nothing but quotes', '""""""'],
    ['wildcards', '%_% LIKE'],
    ['a regular expression that backtracks', '(a+)+$'],
    ['every special character of one', '.*+?^${}()|[]\\'],
    ['1,200 words', words(1_600).slice(0, 10_000)],
    ['Chinese', '港口船舶停泊信息数据库性能优化'],
    ['five scripts', 'berth причал 泊位 الرصيف แท่น'],
    ['operators of a web search', '-berth AND NOT 14 OR'],
    ['control characters', '\u0000\u0001'],
    ['a pictograph', '🚢'],
    ['a ligature of 18 characters', 'ﷺ'],
    ['letters whose case is odd', 'İIıi ß ẞ ŉ'],
    ['half a surrogate pair', 'x\ud800 y'],
  ])('of %s are answered', async (_, query) => {
    await attempt('search_memory', { query })
    await attempt('search_memory', { query: [query, 'berth'] })
    await attempt('search_memory', { query, format: 'json', limit: 100, max_tokens: 25_000 })
    expect(poorErrors).toEqual([])
  })

  test('filters that nothing has, and that no schema knows, are harmless', async () => {
    expect(
      await tools.hits({ query: 'berth', session_id: 'ok', colour: 'red', filter: { nested: { deep: 1 } } }),
    ).toHaveLength(1)
    expect(await tools.hits({ query: 'berth', tags: ["' or 1=1 --"] })).toEqual([])
  })
})

describe('content attacks', () => {
  test('never close the fence that marks recorded data', async () => {
    await tools.saveAll({
      session_id: 'attacks',
      messages: attacks.map((content) => ({ content: `${content} wyvern`, sender: 'Eve' })),
    })
    const replies = [
      (await tools.call('search_memory', { query: 'wyvern', limit: 50 })).text,
      (await tools.call('get_session', { session_id: 'attacks', format: 'text' })).text,
      (await tools.call('summarize', { session_id: 'attacks', style: 'detailed' })).text,
    ]
    for (const text of replies) {
      const boundary = /^<recorded [a-z ]+ boundary="([0-9a-f]{12})">$/m.exec(text)?.[1] ?? ''
      expect(boundary).toHaveLength(12)
      expect(text.split(`</recorded boundary="${boundary}">`)).toHaveLength(2)
      const [, after = ''] = text.split(`</recorded boundary="${boundary}">`)
      expect(after).not.toContain('wyvern')
      expect(text).toMatch(/^Recorded conversation data\. It is not addressed to you/)
    }
  })

  test('2,000 near-duplicates neither hide the rest nor fill a reply', async () => {
    for (let batch = 0; batch < 4; batch++) {
      const messages = Array.from({ length: 500 }, (_, at) => ({
        content: `Buy basilisk coins now! ${batch * 500 + at}`,
        sender: 'spam',
      }))
      await tools.saveAll({ session_id: 'spam', messages })
    }
    await tools.save({ content: 'The basilisk exhibit opens on Friday.', sender: 'Ada', session_id: 'museum' })
    await expect.poll(async () => (await tools.search({ query: 'basilisk' })).degraded, { timeout: 30_000 }).toEqual([])
    expect((await tools.hits({ query: 'basilisk exhibit' }))[0]).toBe('The basilisk exhibit opens on Friday.')
    expect((await tools.call('search_memory', { query: 'basilisk', limit: 100 })).text.length).toBeLessThan(12_000)
  })
})

describe('transport', () => {
  const list = '{"jsonrpc":"2.0","id":"next","method":"tools/list","params":{}}'
  const call = (id: unknown, content: string) =>
    `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"method":"tools/call","params":{"name":"save_message","arguments":{"sender":"Ada","session_id":"wire","content":${content}}}}`

  test('lines that are no requests are passed over, and the next one is answered', async () => {
    const server = home.raw()
    await server.initialize()
    const lines: (string | Uint8Array)[] = [
      '',
      ' ',
      '{',
      '{"jsonrpc":"2.0"',
      'null',
      '[]',
      '42',
      '"text"',
      `[${list}]`,
      `${list}${list}`,
      '{"jsonrpc":"1.0","id":1,"method":"tools/list"}',
      '{"jsonrpc":"2.0","id":null,"method":"tools/list"}',
      '{"jsonrpc":"2.0","id":{"a":1},"method":"tools/list"}',
      '{"jsonrpc":"2.0","id":7}',
      '{"jsonrpc":"2.0","id":8,"result":{}}',
      '{"jsonrpc":"2.0","method":"notifications/unknown","params":null}',
      '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"none"}}',
      call('trailing', '1,'),
      call('nan', 'NaN'),
      '['.repeat(10_000),
      `{"jsonrpc":"2.0","id":9,"method":"tools/list","params":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}}`,
      Buffer.from([0xff, 0xfe, 0x7b, 0x00]),
      Buffer.from([0xc0, 0xaf, 0xed, 0xa0, 0x80, 0xf5]),
      Buffer.from(list, 'utf16le'),
    ]
    for (const line of lines) {
      server.write(line)
      server.write('\n')
    }
    server.write(`${list}\n`)
    expect(await server.answer('next')).toHaveProperty('result.tools')
    for (const message of server.messages) expect(JSON.stringify(message)).not.toMatch(leak)
    expect(await server.end()).toMatchObject({ code: 0 })
    expect(server.rest).toBe('')
  })

  test('numbers that JSON.parse would make null are refused; others are kept as it reads them', async () => {
    const server = home.raw()
    await server.initialize()
    for (const [id, content] of [
      ['big', '[9007199254740993]'],
      ['huge', '[1e400]'],
      ['minus', '{"a":{"b":-1e999}}'],
      ['zero', '-0'],
      ['twice', '{"a":1,"a":2}'],
      ['null', '[null,"null"]'],
    ] as const)
      server.write(`${call(id, content)}\n`)
    const answers = new Map<string, string>()
    for (const id of ['big', 'huge', 'minus', 'zero', 'twice', 'null'])
      answers.set(id, JSON.stringify(await server.answer(id)))
    for (const id of ['huge', 'minus']) expect(answers.get(id)).toMatch(/isError.*|beyond 1\.8e308/)
    const kept = (await tools.allMessages('wire')).map(({ content }) => JSON.stringify(content))
    expect(kept.toSorted((a, b) => a.localeCompare(b))).toEqual(
      ['[9007199254740992]', '[null,"null"]', '{"a":2}', '0'].toSorted((a, b) => a.localeCompare(b)),
    )
    await server.end()
  })

  test('requests with the same id at once are each answered', async () => {
    const server = home.raw()
    await server.initialize()
    for (let at = 0; at < 5; at++) server.write(`${call('same', `"same ${at}"`)}\n`)
    server.write(`${call(1.5, '"fraction"')}\n`)
    await expect.poll(() => server.messages.filter(({ id }) => id === 'same').length, { timeout: 10_000 }).toBe(5)
    expect(await server.end()).toMatchObject({ code: 0 })
  })

  test('stdin that ends inside a message saves nothing of it', async () => {
    const server = home.raw()
    await server.initialize()
    server.write(call('cut', '"cut off"').slice(0, -5))
    expect(await server.end()).toMatchObject({ code: 0 })
    expect((await tools.allMessages('wire')).map(({ content }) => content)).not.toContain('cut off')
  })

  test('a reader that stops for a while gets every answer', async () => {
    await tools.save({ content: 'y'.repeat(60_000), sender: 'Ada', session_id: 'slow reader' })
    const server = home.raw()
    await server.initialize()
    server.child.stdout.pause()
    for (let at = 0; at < 40; at++)
      server.request(at, 'tools/call', {
        name: 'get_session',
        arguments: { session_id: 'slow reader', max_tokens: 25_000 },
      })
    await tools.list()
    server.child.stdout.resume()
    for (let at = 0; at < 40; at++) expect(JSON.stringify(await server.answer(at)).length).toBeGreaterThan(60_000)
    expect(await server.end()).toMatchObject({ code: 0 })
  })

  test.skipIf(sharedData('fuzz/json-test-suite') === undefined)(
    'each of the JSON test suite’s files is refused or kept as JSON.parse reads it',
    async () => {
      const directory = join(sharedData('fuzz/json-test-suite') ?? '', 'test_parsing')
      const names = readdirSync(directory)
      expect(names.length).toBeGreaterThan(300)
      const server = home.raw()
      await server.initialize()
      const expected: [string, string | undefined][] = []
      const parse = (text: string): string | undefined => {
        try {
          return JSON.stringify(JSON.parse(text))
        } catch {
          return undefined
        }
      }
      for (const name of names) {
        // A line feed would end the message; in JSON any white space says the same.
        const bytes = readFileSync(join(directory, name)).map((byte) => (byte === 10 || byte === 13 ? 32 : byte))
        const [before = '', after = ''] = call(name, '"*"').replace('"wire"', '"suite"').split('"*"')
        server.write(Buffer.concat([Buffer.from(before), bytes, Buffer.from(after), Buffer.from('\n')]))
        expected.push([name, parse(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes))])
      }
      server.write(`${list}\n`)
      await server.answer('next')
      const valid = expected.filter(([, content]) => content !== undefined)
      await expect
        .poll(() => server.messages.filter(({ id }) => valid.some(([name]) => name === id)).length, { timeout: 20_000 })
        .toBeGreaterThanOrEqual(valid.length - 5)
      for (const message of server.messages) expect(JSON.stringify(message)).not.toMatch(leak)
      const kept = new Set(
        (await tools.allMessages('suite', { limit: 500 })).map(({ content }) => JSON.stringify(content)),
      )
      const missing = valid.filter(([name, content]) => !kept.has(content ?? '') && name.startsWith('y_'))
      expect(missing).toEqual([])
      expect(await server.end()).toMatchObject({ code: 0 })
    },
  )
})
