import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { useHome } from './support/home.ts'
import { HttpHome } from './support/http-home.ts'
import type { Tools } from './support/tools.ts'

/** Put together here, so that no scanner takes this file for a leak. */
const secret = ['ghp_', 'A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8'].join('')
const personal = ['Kowalska', 'anna.k@posteo.de', '4111 1111 1111 1111', '0650 995 04 94', '455-97-2191', secret]

const home = useHome()
let server: HttpHome
let tools: Tools

/** Everything that a reply says, in both of its forms. */
function shows(reply: unknown): string {
  return JSON.stringify(reply)
}

function expectNothingPersonal(text: string): void {
  for (const value of personal) expect(text).not.toContain(value)
}

beforeAll(async () => {
  server = await HttpHome.start(home, { keep: true })
  tools = await home.tools()
  await tools.save({
    session_id: 'claim',
    content: 'My name is Anna Kowalska, card 4111 1111 1111 1111. Write to anna.k@posteo.de about the lighthouse.',
    sender: 'Kowalska',
    metadata: { phone: '0650 995 04 94' },
  })
  await tools.save({
    session_id: 'claim',
    content: [
      { type: 'text', text: 'Kowalska can be reached.' },
      {
        type: 'tool_use',
        name: 'lookup',
        input: { ssn: '455-97-2191', 'anna.k@posteo.de': [true, null, 7], token: secret },
      },
    ],
    sender: 'assistant',
    role: 'assistant',
  })
  await tools.save({ session_id: 'other', content: 'anna.k@posteo.de asked again.', sender: 'user' })
})
afterAll(async () => {
  await server.stop()
})

describe('get_session', () => {
  test('in the redacted view keeps the shape of the content and says what stood there', async () => {
    const { structured } = await tools.call('get_session', { session_id: 'claim', view: 'redacted' })
    expectNothingPersonal(shows(structured))
    expect(structured).toMatchObject({
      participants: ['[person]', 'assistant'],
      messages: [
        {
          sender: '[person]',
          content: expect.stringMatching(
            /^My name is \[person\], card \[payment_card\]\. Write to \[email\] about the lighthouse\.$/u,
          ),
          metadata: { own: { phone: '[phone]' } },
        },
        {
          sender: 'assistant',
          content: [
            { type: 'text', text: '[person] can be reached.' },
            {
              type: 'tool_use',
              name: 'lookup',
              input: { ssn: '[national_id]', '[email]': [true, null, 7], token: '[secret]' },
            },
          ],
        },
      ],
    })
  })

  test('hides a short private key whole, and a password with the mark that ends it', async () => {
    const lines = ['-----BEGIN PRIVATE KEY-----', 'MC4CAQAwBQ==', '-----END PRIVATE KEY-----']
    for (const content of [
      `Here: ${lines.join('\n')} and no more.`,
      'My password is Zq9hunter2xB!',
      `It begins with ${lines[0]} and is kept where nobody reads it, as everybody knows by now.`,
    ])
      await tools.save({ session_id: 'keys', content, sender: 'Ada' })
    const said = async (view: string) => (await tools.session('keys', { view })).messages
    expect((await said('redacted')).map(({ content }) => content)).toEqual([
      'Here: [secret] and no more.',
      'My password is [secret]',
      `It begins with ${lines[0]} and is kept where nobody reads it, as everybody knows by now.`,
    ])
    await expect
      .poll(async () => (await said('full')).map(({ flags }) => flags))
      .toEqual([{ secrets: { private_key: 1 } }, { secrets: { password: 1 } }, undefined])
  })

  test('does not give the hash of what it hides, and the full view is as it was', async () => {
    const hashes = async (view: string) => {
      const { structured } = await tools.call('get_session', { session_id: 'claim', view })
      return [...shows(structured).matchAll(/"sha256":"(\w+)"/gu)].map((match) => match[1])
    }
    const [full, redacted] = [await hashes('full'), await hashes('redacted')]
    expect(full).toHaveLength(2)
    expect(redacted.filter((hash) => full.includes(hash))).toEqual([])
    const { structured } = await tools.call('get_session', { session_id: 'claim' })
    for (const value of personal) expect(shows(structured)).toContain(value)
  })

  test('as text is redacted too', async () => {
    const { text } = await tools.call('get_session', { session_id: 'claim', view: 'redacted', format: 'text' })
    expectNothingPersonal(text)
    expect(text).toContain('about the lighthouse')
  })

  test('pseudonymised gives the same token to the same person within a session, and another in another', async () => {
    const read = async (session: string) =>
      shows((await tools.call('get_session', { session_id: session, view: 'pseudonymised' })).structured)
    const [claim, other] = [await read('claim'), await read('other')]
    expectNothingPersonal(claim + other)
    const emails = (text: string) => [...new Set(text.match(/\[email_[\da-f]{10}\]/gu))]
    expect(emails(claim)).toHaveLength(1)
    expect(emails(other)).toHaveLength(1)
    expect(emails(claim)).not.toEqual(emails(other))
    expect(await read('claim')).toBe(claim)
    expect(readFileSync(join(home.path, 'keys', 'pseudonym.key'))).toHaveLength(32)
  })
})

describe('names of who takes part', () => {
  test('are found in what is said, in any script, with the token of the sender', async () => {
    const said = [
      ['山田太郎', '私は山田太郎です', '私は#です'],
      ['Иван Петров', 'Это Иван Петров', 'Это #'],
      ['anna.schmidt', 'so says anna.schmidt', 'so says #'],
      ['JOHN SMITH', 'so says john smith', 'so says #'],
      ['user@corp.example', 'so says user@corp.example', 'so says #'],
      ['planner', 'the planner plans', 'the planner plans'],
    ] as const
    await tools.saveAll({ session_id: 'scripts', messages: said.map(([sender, content]) => ({ sender, content })) })
    for (const view of ['redacted', 'pseudonymised']) {
      const { messages } = await tools.session('scripts', { view })
      expect(messages.map(({ content }) => content)).toEqual(
        said.map(([, , shown], at) => shown.replace('#', String(messages[at]?.sender))),
      )
      expect(shows(messages)).not.toMatch(/山田|Петров|anna\.s|smith|corp/iu)
    }
  })
})

describe('verbatim export', () => {
  test.each(['json', 'jsonl', 'markdown'])('--view redacted leaves personal data out of %s', async (format) => {
    const { stdout, code } = await home.cli(['export', 'claim', '--format', format, '--view', 'redacted'])
    expect(code).toBe(0)
    expectNothingPersonal(stdout)
    expect(stdout).toContain('[payment_card]')
    expect(stdout).toContain('about the lighthouse')
  })

  test('--scope store gives the same token in all sessions', async () => {
    const chosen = ['--format', 'jsonl', '--view', 'pseudonymised', '--scope', 'store']
    const { stdout } = await home.cli(['export', 'claim', 'other', ...chosen])
    expectNothingPersonal(stdout)
    expect(new Set(stdout.match(/\[email_[\da-f]{10}\]/gu))).toHaveProperty('size', 1)
  })

  test('refuses to redact the original, and says what to do', async () => {
    const refused = await home.cli(['export', 'claim', '--format', 'original', '--view', 'redacted'])
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Use another --format with --view: json, jsonl, markdown'),
    })
  })
})

describe('a token that may see no personal data', () => {
  const analyst = async () => await server.tools(await server.newToken('--name', 'analyst', '--view', 'redacted'))
  const clerk = async () =>
    await server.tools(await server.newToken('--name', 'clerk', '--view', 'redacted', '--scopes', 'read,write'))

  test('reads, searches, lists and summarizes without it, whatever it asks for', async () => {
    const redacted = await analyst()
    const replies = [
      await redacted.call('get_session', { session_id: 'claim', view: 'full' }),
      await redacted.call('get_session', { session_id: 'claim', format: 'text' }),
      await redacted.call('search_memory', { query: 'lighthouse', context: 2 }),
      await redacted.call('search_memory', { query: 'lighthouse', format: 'json' }),
      await redacted.call('list_sessions', {}),
      await redacted.call('recall_context', { text: 'about the lighthouse' }),
      await redacted.call('recall_context', { text: 'about the lighthouse', format: 'json' }),
      await redacted.call('summarize', { session_id: 'claim' }),
      await redacted.call('summarize', { session_id: 'claim', format: 'json' }),
    ]
    for (const reply of replies) expectNothingPersonal(shows(reply))
    expect(shows(replies[2])).toContain('about the lighthouse')
    expect(shows(replies[5])).toContain('lighthouse')
    expect(replies[6]?.structured).toMatchObject({ names: [] })
  })

  test('reads resources without it, and is refused the list of who is known', async () => {
    const redacted = await analyst()
    const read = async (uri: string) => shows(await redacted.client.readResource({ uri }))
    const { structured } = await tools.call('get_session', { session_id: 'claim' })
    const id = /"id":"([\w-]+)"/u.exec(shows(structured))?.[1] ?? ''
    for (const uri of [
      'session://claim',
      'session://claim/transcript',
      'session://claim/summary',
      'session://claim/context',
      `session://claim/messages/${id}`,
      'memory://sessions',
    ])
      expectNothingPersonal(await read(uri))
    await expect(read('memory://profile')).rejects.toThrow(/memory:read/u)
  })

  test('saves only where it was said that it may', async () => {
    const reader = await analyst()
    const { tools: offered } = await reader.client.listTools()
    expect(offered.map(({ name }) => name)).not.toContain('save_message')
    const unnamed = await home.cli(['token', 'create', '--name', 'analyst', '--view', 'redacted', '--json'])
    expect(JSON.parse(unnamed.stdout)).toMatchObject({ scopes: ['memory:redacted'] })
    const redacted = await clerk()
    expect(await redacted.save({ session_id: 'claim', content: 'noted', sender: 'user' })).toMatchObject({ seq: 3 })
  })

  test('is shown no participant in a title, however many there are', async () => {
    const names = Array.from(
      { length: 60 },
      (_, at) => `Quorblax${'abcdefghij'[at % 10]}${'uvwxyz'[Math.floor(at / 10)]}`,
    )
    await tools.saveAll({ session_id: 'crowd', messages: names.map((sender) => ({ content: 'Here.', sender })) })
    await tools.update('crowd', { title: `What ${names[3]} and ${names[57]} said` })
    const reader = await analyst()
    const { sessions } = await reader.list({ participant: names[57] })
    expect(sessions[0]).toMatchObject({ title: 'What [person] and [person] said', participants: ['[person]'] })
    expect(shows(await (await clerk()).update('crowd', { tags: ['crowded'] }))).not.toContain('Quorblax')
    expect(shows(await reader.client.readResource({ uri: 'memory://sessions' }))).not.toContain('Quorblax')
  })

  test('is given no id of a source’s own by completion, nor by what refers to a message, nor at the edge of what is cut', async () => {
    const id = 'chat-anna.k@posteo.de'
    const title = `${'A title of some length. '.repeat(8)}Card 4111 1111 1111 1111, or 4111 1111 1111 1111.`
    await tools.save({ session_id: id, message_id: 'anna.k@posteo.de-1', content: 'First.', sender: 'user' })
    await tools.save({ session_id: id, parent_id: 'anna.k@posteo.de-9', content: 'Second.', sender: 'user' })
    await tools.save({
      session_id: id,
      content: `${'word '.repeat(1_150)}pelican ${'word '.repeat(1_200)}card 4111 1111 1111 1111`,
      sender: 'user',
    })
    await tools.update(id, { title })
    const reader = await analyst()
    const ref = { type: 'ref/resource', uri: 'session://{session_id}' } as const
    const complete = async (of: Tools, value: string) =>
      (await of.client.complete({ ref, argument: { name: 'session_id', value } })).completion.values
    expect(await complete(tools, 'chat-anna')).toEqual([id])
    expect(await complete(reader, 'chat-anna')).toEqual([])
    const { session_id: own } = await tools.session(id)
    expect(await complete(reader, own.slice(0, 13))).toContain(own)
    for (const budget of [500, 700, 900, 1_500, 4_000]) {
      const reply = shows(await reader.call('get_session', { session_id: own, max_tokens: budget }))
      expectNothingPersonal(reply)
      expect(reply).not.toMatch(/4111/)
    }
    const found = shows(await reader.search({ query: 'pelican' }))
    expect(found).toContain('pelican')
    expect(found).not.toMatch(/4111/)
  })
})

test('a name is masked though an address has it in small letters, and the price that rose is none', async () => {
  await tools.save({
    session_id: 'crane',
    content: 'Wainwright rang and Philippa answered, see philippa.wainwright@example.org about the crane.',
    sender: 'Philippa Wainwright',
  })
  await tools.save({
    session_id: 'crane',
    content: 'Rose and Marsh: the price rose, the marsh is wet.',
    sender: 'Rose Marsh',
  })
  const { stdout } = await home.cli(['export', 'crane', '--view', 'redacted'])
  expect(stdout).toContain('[person] rang and [person] answered, see [email] about the crane.')
  expect(stdout).toContain('Rose and Marsh: the price rose, the marsh is wet.')
  const { structured } = await tools.call('get_session', { session_id: 'crane', view: 'pseudonymised' })
  expect(shows(structured)).toMatch(/(\[person_[\da-f]{10}\]) rang and \1 answered, see \[email_/u)
})

test('a private JSON web key is a secret in text and as JSON, and a public one is none', async () => {
  const [d, x] = ['d', 'x'].map((seed) => Buffer.from(`${seed} of a key with 32 bytes, is it`).toString('base64url'))
  const [open, key] = [
    { kty: 'EC', crv: 'P-256', x },
    { d, kty: 'EC', crv: 'P-256', x },
  ]
  await tools.save({ session_id: 'web-keys', content: `It is ${JSON.stringify(key, null, 1)}.`, sender: 'user' })
  await tools.save({
    session_id: 'web-keys',
    content: [{ type: 'tool_use', name: 'sign', input: { key, open } }],
    sender: 'assistant',
    role: 'assistant',
  })
  const { stdout } = await home.cli(['export', 'web-keys', '--view', 'redacted'])
  expect(stdout).not.toContain(d)
  expect(stdout.match(/\[secret\]/gu)).toHaveLength(2)
  const { structured } = await tools.call('get_session', { session_id: 'web-keys', view: 'redacted' })
  expect(structured).toMatchObject({
    messages: [{}, { content: [{ input: { key: { ...key, d: '[secret]' }, open } }] }],
  })
})
