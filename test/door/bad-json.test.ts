import { describe, expect, test } from 'vitest'

import { jsonOf, useBadInput } from './support/bad-input.ts'
import type { Arguments } from './support/tools.ts'

const bad = useBadInput()

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
    expect(await bad.keep('json', contents)).toEqual(jsonOf(contents))
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  })

  test('that nests too deeply for the platform is refused or kept', async () => {
    await bad.attempt('save_message', { content: deep(4_000), sender: 'Ada' })
    await bad.attempt('save_message', { content: 'x', sender: 'Ada', metadata: { deep: deep(4_000) } })
    expect(bad.poorErrors).toEqual([])
  })

  test('with a member called __proto__ in metadata is kept', async () => {
    const metadata: unknown = JSON.parse('{"__proto__": {"a": 1}, "b": 2}')
    const { session_id: id } = await bad.tools.save({ content: 'x', sender: 'Ada', metadata })
    const message = (await bad.tools.session(id)).messages.at(0)
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
          const { isError, text } = await bad.attempt(tool, { ...valid[tool], [name]: value })
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
    expect(await bad.tools.save({ content: null, sender: 'Ada', ...nulls })).toMatchObject({ seq: 1 })
    expect(
      (await bad.tools.saveAll({ messages: [{ content: null, sender: 'Ada', ...nulls, timestamp: 1_740_823_200 }] }))
        .messages,
    ).toHaveLength(1)
    for (const [tool, missing] of [
      ['save_message', 'sender'],
      ['save_messages', 'messages'],
      ['get_session', 'session_id'],
      ['search_memory', 'query'],
      ['summarize', 'session_id'],
      ['update_session', 'session_id'],
      ['update_fact', 'fact_id'],
    ] as const) {
      expect(await bad.tools.refusal(tool, {})).toContain(missing)
      expect(await bad.tools.refusal(tool, { [missing]: null })).toContain(missing)
    }
    expect(await bad.tools.refusal('save_message', { sender: 'Ada' })).toContain('content')
  })
})
