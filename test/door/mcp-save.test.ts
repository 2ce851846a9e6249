import { createHash } from 'node:crypto'

import { beforeAll, describe, expect, test } from 'vitest'

import { useHome } from './support/home.ts'
import { stable } from './support/stable.ts'
import type { Tools } from './support/tools.ts'

const home = useHome()
let tools: Tools

beforeAll(async () => {
  tools = await home.tools()
})

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

describe('save_message', () => {
  test('answers with the ids, the number, the hash and the time of what it kept', async () => {
    const { structured } = await tools.call('save_message', {
      content: 'Berth 14 is free.',
      sender: 'Ada',
      session_id: 'harbour',
      message_id: 'first',
    })
    expect(stable(structured)).toMatchInlineSnapshot(`
      {
        "duplicate": false,
        "external_id": "harbour",
        "message_id": "<id 2>",
        "saved_at": "<now>",
        "seq": 1,
        "session_id": "<id 1>",
        "sha256": "<sha256>",
      }
    `)
    expect(structured?.['sha256']).toBe(sha256('"Berth 14 is free."'))
  })

  test('gives a retry the first answer, and refuses the id for other content, role or sender', async () => {
    const message = { content: { berth: 14 }, sender: 'Ada', session_id: 'retry', message_id: 'same' }
    const first = await tools.save(message)
    const second = await tools.save(message)
    expect(second).toEqual({ ...first, duplicate: true })
    for (const change of [{ content: { berth: 15 } }, { sender: 'Bo' }, { role: 'tool' }]) {
      expect(await tools.refusal('save_message', { ...message, ...change })).toContain('"same"')
    }
    expect((await tools.session('retry')).message_count).toBe(1)
  })

  test('answers 50 retries at once with one message', async () => {
    const message = { content: 'once', sender: 'Ada', session_id: 'at-once', message_id: 'k' }
    const all = await Promise.all(Array.from({ length: 50 }, () => tools.save(message)))
    expect(new Set(all.map(({ message_id: id }) => id)).size).toBe(1)
    expect(all.filter(({ duplicate }) => !duplicate)).toHaveLength(1)
    expect((await tools.session('at-once')).message_count).toBe(1)
  })

  test('opens a session where none is named, and takes our id and the caller’s for it', async () => {
    const opened = await tools.save({ content: 'a', sender: 'Ada' })
    expect(opened).not.toHaveProperty('external_id')
    const byOurs = await tools.save({ content: 'b', sender: 'Ada', session_id: opened.session_id.toUpperCase() })
    expect(byOurs).toMatchObject({ session_id: opened.session_id, seq: 2 })
    const own = await tools.save({ content: 'a', sender: 'Ada', session_id: 'agent:main/42 ä' })
    expect(own).toMatchObject({ external_id: 'agent:main/42 ä', seq: 1 })
    expect(await tools.save({ content: 'b', sender: 'Ada', session_id: own.session_id })).toMatchObject({
      session_id: own.session_id,
      seq: 2,
    })
  })

  test.each<[string, unknown]>([
    ['a string', 'plain'],
    ['an empty string', ''],
    ['a string that is JSON', '{"not": "parsed"}'],
    ['a string that is a number', '12.50'],
    ['a number', 1.5e-7],
    ['zero', 0],
    ['true', true],
    ['null', null],
    ['an empty list', []],
    ['an empty object', {}],
    ['key order', { z: 1, a: 2, 10: 3, 9: 4 }],
    ['blocks with unknown fields', [{ type: 'text', text: 'x', cache_control: { type: 'ephemeral' }, _x: [null] }]],
    ['NUL and a lone surrogate', 'a\0b\ud800c\udfff'],
    ['a byte order mark, CR LF and both normal forms', '\ufeffé\r\ne\u0301\r'],
  ])('keeps %s exactly', async (_, content) => {
    const { session_id: sessionId, message_id: id, sha256: hash } = await tools.save({ content, sender: 'Ada' })
    expect(hash).toBe(sha256(JSON.stringify(content)))
    const { messages } = await tools.session(sessionId)
    expect(messages).toHaveLength(1)
    expect(messages[0]).toMatchObject({ id, seq: 1, sender: 'Ada' })
    expect(JSON.stringify(messages[0]?.content)).toBe(JSON.stringify(content))
    expect(messages[0]?.metadata?.['sha256']).toBe(hash)
  })

  test('keeps a message of 2 MB and gives it back in pieces that are its exact JSON', async () => {
    const content = Array.from({ length: 40_000 }, (_, at) => `line ${at} – Grüße, 港口 🚢 \\"`).join('\n')
    const { session_id: sessionId, sha256: hash } = await tools.save({ content, sender: 'Ada' })
    const json = JSON.stringify(content)
    expect(Buffer.byteLength(json)).toBeGreaterThan(1.5 * 1024 * 1024)
    const parts = await tools.allMessages(sessionId, { max_tokens: 25_000 })
    expect(parts.map(({ content_part: part }) => part?.text).join('')).toBe(json)
    expect(hash).toBe(sha256(json))
    const offsets = parts.map(({ content_part: part }) => part?.offset_bytes ?? -1)
    expect(offsets).toEqual(offsets.toSorted((a, b) => a - b))
    const resource = await home.connect()
    const { contents } = await resource.readResource({ uri: `session://${sessionId}/messages/${parts[0]?.id}` })
    const read = contents.map((part) => ('text' in part ? part.text : '')).join('')
    expect(read.includes(json)).toBe(true)
  })

  test('keeps a branch as a tree, and remembers a parent that it does not know', async () => {
    const sessionId = 'branches'
    await tools.save({ content: 'root', sender: 'Ada', session_id: sessionId, message_id: 'r' })
    await tools.save({ content: 'one', sender: 'Ada', session_id: sessionId, message_id: '1', parent_id: 'r' })
    await tools.save({ content: 'two', sender: 'Ada', session_id: sessionId, message_id: '2', parent_id: 'r' })
    await tools.save({ content: 'lost', sender: 'Ada', session_id: sessionId, message_id: '3', parent_id: 'gone' })
    const { messages } = await tools.session(sessionId)
    const root = messages[0]?.id
    expect(messages.map(({ metadata }) => metadata?.['parent_id'])).toEqual([undefined, root, root, 'gone'])
  })

  test('takes numbers, objects and lists that arrive as strings, and leaves out what hosts add', async () => {
    const { session_id: sessionId } = await tools.save({
      content: 'x',
      sender: 'Ada',
      tokens: '{"input": 3, "output": 4}',
      tools_used: '["grep", "sed"]',
      metadata: '{"ticket": 7}',
      timestamp: 1_740_823_200,
      model: null,
      sessionId: 'from the host',
      toolCallId: 'call_1',
      action: 'sendMessage',
    })
    const session = await tools.session(sessionId, { limit: '5', max_tokens: '2000' })
    expect(session).toMatchObject({ total_tokens: 7, tool_invocations: 2 })
    expect(session.messages[0]).toMatchObject({
      timestamp: '2025-03-01T10:00:00.000Z',
      metadata: { tools_used: ['grep', 'sed'], own: { ticket: 7 } },
    })
  })

  test('names what is missing, and which count of tokens is none', async () => {
    expect(await tools.refusal('save_message', {})).toBe(
      'Invalid arguments: "content": is required, and was not given; "sender": is required, and was not given',
    )
    const batch = { messages: [{ content: 'x', sender: 'Ada' }, { content: 'x' }] }
    expect(await tools.refusal('save_messages', batch)).toContain('"messages.1.sender": is required')
    const counted = { content: 'x', sender: 'Ada', tokens: { input: -1 } }
    expect(await tools.refusal('save_message', counted)).toContain('"tokens.input": Too small')
  })

  test('names a misspelt argument and what it should be', async () => {
    const text = await tools.refusal('save_message', { content: 'x', sender: 'Ada', SessionId: 'a' })
    expect(text).toMatchInlineSnapshot(`"Unknown argument "SessionId". Use "session_id" and call again"`)
    expect(await tools.refusal('search_memory', { query: 'x', maxTokens: 5 })).toContain('"max_tokens"')
  })
})

describe('save_messages', () => {
  test('answers with a receipt a message, in order', async () => {
    const { structured } = await tools.call('save_messages', {
      session_id: 'batch',
      messages: [
        { content: 'one', sender: 'Ada', message_id: 'm1' },
        { content: ['two'], sender: 'clerk', model: 'model-a' },
      ],
    })
    expect(stable(structured)).toMatchInlineSnapshot(`
      {
        "external_id": "batch",
        "messages": [
          {
            "duplicate": false,
            "message_id": "<id 2>",
            "saved_at": "<now>",
            "seq": 1,
            "sha256": "<sha256>",
          },
          {
            "duplicate": false,
            "message_id": "<id 3>",
            "saved_at": "<now>",
            "seq": 2,
            "sha256": "<sha256>",
          },
        ],
        "session_id": "<id 1>",
      }
    `)
  })

  test('saves all or nothing', async () => {
    const good = { content: 'good', sender: 'Ada' }
    for (const bad of [
      { content: 'bad' },
      { sender: 'Ada' },
      { ...good, timestamp: 'soon' },
      { ...good, role: 'pope' },
    ]) {
      await tools.refusal('save_messages', { session_id: 'atomic', messages: [good, bad] })
    }
    expect(await tools.refusal('get_session', { session_id: 'atomic' })).toContain('No session "atomic"')
    await tools.saveAll({ session_id: 'atomic', messages: [{ ...good, message_id: 'g' }] })
    await tools.refusal('save_messages', {
      session_id: 'atomic',
      messages: [
        { ...good, content: 'new' },
        { ...good, content: 'other', message_id: 'g' },
      ],
    })
    expect((await tools.session('atomic')).message_count).toBe(1)
  })

  test('refuses messages that name a session of their own, and keeps none of them', async () => {
    const messages = [
      { content: 'one', sender: 'Ada' },
      { content: 'two', sender: 'Ada', session_id: 'elsewhere' },
    ]
    for (const outer of [{}, { session_id: 'outer' }]) {
      const text = await tools.refusal('save_messages', { ...outer, messages })
      expect(text).toContain('Give "session_id" once, beside "messages"')
    }
    for (const sessionId of ['elsewhere', 'outer'])
      expect(await tools.refusal('get_session', { session_id: sessionId })).toContain(`No session "${sessionId}"`)
  })

  test('takes messages that repeat the session of the call', async () => {
    const message = { content: 'one', sender: 'Ada', session_id: 'repeated' }
    expect(await tools.saveAll({ session_id: 'repeated', messages: [message] })).toMatchObject({
      external_id: 'repeated',
      messages: [{ seq: 1 }],
    })
  })

  test('gives a retried batch the first answers, and adds what is new in it', async () => {
    const messages = ['a', 'b', 'c'].map((content) => ({ content, sender: 'Ada', message_id: content }))
    const first = await tools.saveAll({ session_id: 'batch-retry', messages: messages.slice(0, 2) })
    const second = await tools.saveAll({ session_id: 'batch-retry', messages })
    expect(second.messages.map(({ duplicate }) => duplicate)).toEqual([true, true, false])
    expect(second.messages.slice(0, 2).map(({ message_id: id }) => id)).toEqual(
      first.messages.map(({ message_id: id }) => id),
    )
    expect(second.messages.map(({ seq }) => seq)).toEqual([1, 2, 3])
  })

  test('refuses none, and more than 500, by the limit', async () => {
    expect(await tools.refusal('save_messages', { messages: [] })).toContain('empty list')
    const messages = Array.from({ length: 501 }, () => ({ content: 'x', sender: 'Ada' }))
    expect(await tools.refusal('save_messages', { messages })).toContain('500')
  })
})
